/* UTF-8 (RFC 3629): whether a text is valid.

   A byte and the one before it tell nearly all that can be wrong: of each of three halves of a byte (both of the one
   before, the upper one of this) it is known which faults it may be part of, and a fault is there if all three agree.
   What is left are the third and the fourth byte of a character: they are where, and only where, a byte two before begins
   one of three, or a byte three before one of four. See J. Keiser and D. Lemire, "Validating UTF-8 in less than one
   instruction per byte" (2021). */

#include "memory.h"

enum {
  TOO_SHORT = 1 << 0,    /* a character begins, and the next byte goes on with none */
  TOO_LONG = 1 << 1,     /* a byte goes on with a character, and none began */
  OVERLONG_3 = 1 << 2,   /* three bytes where two would do */
  TOO_LARGE = 1 << 3,    /* beyond U+10FFFF, begun by F4 */
  SURROGATE = 1 << 4,
  OVERLONG_2 = 1 << 5,   /* two bytes where one would do */
  OVERLONG_4 = 1 << 6,   /* four bytes where three would do; or beyond U+10FFFF, begun by F5 or more */
  TWO_GO_ON = 1 << 7,    /* two bytes go on: right in a character of three or four bytes, and only there */
  ANY = TOO_SHORT | TOO_LONG | TWO_GO_ON,
};

#define OF_UPPER_BEFORE                                                                                      \
  TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, /* 0 to 7 */              \
      TWO_GO_ON, TWO_GO_ON, TWO_GO_ON, TWO_GO_ON,                                 /* 8 to B */              \
      TOO_SHORT | OVERLONG_2, TOO_SHORT, TOO_SHORT | OVERLONG_3 | SURROGATE, TOO_SHORT | TOO_LARGE | OVERLONG_4

#define BEYOND (ANY | TOO_LARGE | OVERLONG_4)
#define OF_LOWER_BEFORE                                                                                      \
  ANY | OVERLONG_2 | OVERLONG_3 | OVERLONG_4, ANY | OVERLONG_2, ANY, ANY, ANY | TOO_LARGE, /* 0 to 4 */     \
      BEYOND, BEYOND, BEYOND, BEYOND, BEYOND, BEYOND, BEYOND, BEYOND, BEYOND | SURROGATE, BEYOND, BEYOND

#define GOES_ON (TOO_LONG | OVERLONG_2 | TWO_GO_ON)
#define OF_UPPER                                                                                             \
  TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, /* 0 to 7 */      \
      GOES_ON | OVERLONG_3 | OVERLONG_4, GOES_ON | OVERLONG_3 | TOO_LARGE, GOES_ON | SURROGATE | TOO_LARGE, \
      GOES_ON | SURROGATE | TOO_LARGE, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT

/* What is wrong in 16 bytes that follow 16 others: a bit is set. */
static inline v128_t faults(v128_t before, v128_t here) {
  const v128_t one = wasm_i8x16_shuffle(before, here, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30);
  const v128_t two = wasm_i8x16_shuffle(before, here, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29);
  const v128_t three = wasm_i8x16_shuffle(before, here, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28);
  const v128_t upper_before = wasm_i8x16_swizzle(wasm_u8x16_const(OF_UPPER_BEFORE), wasm_u8x16_shr(one, 4));
  const v128_t lower_before =
      wasm_i8x16_swizzle(wasm_u8x16_const(OF_LOWER_BEFORE), wasm_v128_and(one, wasm_u8x16_const_splat(0x0F)));
  const v128_t upper = wasm_i8x16_swizzle(wasm_u8x16_const(OF_UPPER), wasm_u8x16_shr(here, 4));
  const v128_t found = wasm_v128_and(wasm_v128_and(upper_before, lower_before), upper);
  const v128_t third = wasm_u8x16_sub_sat(two, wasm_u8x16_const_splat(0xE0 - 0x80)); /* its highest bit */
  const v128_t fourth = wasm_u8x16_sub_sat(three, wasm_u8x16_const_splat(0xF0 - 0x80));
  const v128_t goes_on = wasm_v128_and(wasm_v128_or(third, fourth), wasm_u8x16_const_splat(TWO_GO_ON));
  return wasm_v128_xor(goes_on, found);
}

/* Where a last character that is not all there begins, or else where the text ends. */
static uint32_t end_of_whole(uint32_t size) {
  for (uint32_t back = 1; back <= 3 && back <= size; back++) {
    const uint8_t byte = text[size - back];
    if (byte >= 0xC0) return back < 2u + (byte >= 0xE0) + (byte >= 0xF0) ? size - back : size;
    if (byte < 0x80) break;
  }
  return size;
}

/* Asked of a size: how much of the text up to there is whole characters, or 0 if one is not valid. What is behind it is
   overwritten. */
void EXPORT(valid_utf8)(void) {
  const uint32_t end = end_of_whole(asked[0]);
  for (uint32_t i = 0; i < CHUNK; i++) text[end + i] = 0;
  v128_t before = wasm_u8x16_const_splat(0), wrong = before;
  for (uint32_t at = 0; at <= end && !wasm_v128_any_true(wrong); at += CHUNK) {
    const chunk here = chunk_at(text + at);
    const v128_t any = wasm_v128_or(wasm_v128_or(here.part[0], here.part[1]), wasm_v128_or(here.part[2], here.part[3]));
    const bool is_open = wasm_i8x16_bitmask(before) >> 13; /* a character may go on here */
    for (int i = 0; i < CHUNK / 16 && (is_open || wasm_i8x16_bitmask(any)); i++) {
      wrong = wasm_v128_or(wrong, faults(before, here.part[i]));
      before = here.part[i];
    }
    before = here.part[CHUNK / 16 - 1];
  }
  answer[0] = wasm_v128_any_true(wrong) ? 0 : end;
}
