#include "memory.h"

uint8_t text[TEXT_BYTES + CHUNK];
uint32_t asked[ARGUMENTS], answer[ANSWERS];

uint8_t *EXPORT(text_at)(void) { return text; }
uint32_t EXPORT(text_bytes)(void) { return TEXT_BYTES; }
uint32_t EXPORT(arguments)(void) { return ARGUMENTS; }
uint32_t *EXPORT(asked_at)(void) { return asked; }
uint32_t EXPORT(answers)(void) { return ANSWERS; }
uint32_t *EXPORT(answer_at)(void) { return answer; }
