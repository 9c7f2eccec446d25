/* What all parts of the kernel share: the text that is looked at, what is asked of it, and where answers are put.

   The host writes text into `text` and the arguments of a question into `asked`, for to pass them takes it longer than
   the whole call, and reads answers from `answer`; all stay where they are. Nothing is allocated,
   nothing is imported, and no call depends on an earlier one but through what is documented to be kept. */

#ifndef RECIBO_MEMORY_H
#define RECIBO_MEMORY_H

#include <stdbool.h>
#include <stdint.h>
#include <wasm_simd128.h>

#define EXPORT(name) __attribute__((export_name(#name))) name

enum {
  CHUNK = 64,              /* bytes that are looked at together: one bit each of a 64-bit word */
  TEXT_BYTES = 1 << 20,    /* the longest text */
  ARGUMENTS = 8,
  ANSWERS = 300,
};

extern uint8_t text[TEXT_BYTES + CHUNK]; /* with room to read a whole chunk at its end */
extern uint32_t asked[ARGUMENTS], answer[ANSWERS];

typedef struct {
  v128_t part[CHUNK / 16];
} chunk;

static inline chunk chunk_at(const uint8_t *at) {
  return (chunk){{wasm_v128_load(at), wasm_v128_load(at + 16), wasm_v128_load(at + 32), wasm_v128_load(at + 48)}};
}

/* Which bytes of a chunk are this one: the lowest bit is the first byte's. */
static inline uint64_t where(const chunk *of, uint8_t byte) {
  const v128_t wanted = wasm_i8x16_splat((int8_t)byte);
  uint64_t found = 0;
  for (int i = 0; i < CHUNK / 16; i++)
    found |= (uint64_t)wasm_i8x16_bitmask(wasm_i8x16_eq(of->part[i], wanted)) << (16 * i);
  return found;
}

static inline uint32_t count(uint64_t bits) { return (uint32_t)__builtin_popcountll(bits); }

static inline uint32_t place(uint64_t bits) { return (uint32_t)__builtin_ctzll(bits); }

static inline uint64_t lowest(uint64_t bits) { return bits & -bits; }

/* The bits of the bytes behind those of `bits`; the first one's is `before`, told of the chunk before. */
static inline uint64_t behind(uint64_t bits, uint64_t before) { return bits << 1 | before; }

/* For each byte, whether the quotes up to it, and it, are odd in number. */
static inline uint64_t parity(uint64_t quotes) {
  for (int shift = 1; shift < CHUNK; shift <<= 1) quotes ^= quotes << shift;
  return quotes;
}

static inline uint64_t last(uint64_t bits) { return bits >> 63; }

#endif
