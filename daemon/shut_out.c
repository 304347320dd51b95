/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/shut_out.h"

#include <linux/filter.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/address.h"
#include "base/must.h"
#include "wire/bytes.h"

#define WORDS_MAX          4 /* Of an IPv6 address. */
#define INSTRUCTIONS_EACH  (3 + 2 * WORDS_MAX)
#define INSTRUCTIONS_MAX   (SHUT_OUT_MAX * INSTRUCTIONS_EACH + 1)
#define IPV4_SOURCE_OFFSET 12
#define IPV6_SOURCE_OFFSET 8

/* A jump's reach is a byte. */
_Static_assert(INSTRUCTIONS_MAX <= UINT8_MAX, "the last instruction can be reached from the first");

struct program {
    struct sock_filter instructions[INSTRUCTIONS_MAX];
    unsigned len;
};

static void program_add(struct program *program, uint16_t code, uint32_t value)
{
    program->instructions[program->len++] = (struct sock_filter)BPF_STMT(code, value);
}

/* Goes on if what was loaded equals `value`, else `otherwise` instructions further. */
static void program_add_equal(struct program *program, uint32_t value, unsigned otherwise)
{
    program->instructions[program->len++] =
        (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, (uint8_t)otherwise);
}

/* A datagram begins with its source port (RFC 768); its address is in the header before it. */
static void program_add_source(struct program *program, const struct address *source)
{
    bool is_ipv6 = source->family == ADDRESS_IPV6;
    unsigned words = is_ipv6 ? WORDS_MAX : 1;
    uint32_t offset = (uint32_t)SKF_NET_OFF + (is_ipv6 ? IPV6_SOURCE_OFFSET : IPV4_SOURCE_OFFSET);
    program_add(program, BPF_LD | BPF_H | BPF_ABS, 0);
    program_add_equal(program, source->port, 2 * words + 1);
    for (unsigned i = 0; i < words; i++) {
        program_add(program, BPF_LD | BPF_W | BPF_ABS, offset + 4 * i);
        program_add_equal(
            program, bytes_get_u32(source->bytes + 4 * (size_t)i), 2 * (words - i) - 1);
    }
    program_add(program, BPF_RET | BPF_K, 0);
}

bool shut_out_set(int fd, const struct address *sources, size_t count)
{
    struct program program = {.len = 0};
    must(count <= SHUT_OUT_MAX);
    for (size_t i = 0; i < count; i++) {
        program_add_source(&program, &sources[i]);
    }
    program_add(&program, BPF_RET | BPF_K, UINT32_MAX);
    struct sock_fprog filter = {.len = (uint16_t)program.len, .filter = program.instructions};
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) == 0;
}

void shut_out_clear(int fd)
{
    int ignored = 0;
    (void)setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &ignored, sizeof ignored);
}
