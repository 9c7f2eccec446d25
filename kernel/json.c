/* JSON (RFC 8259): the right records that a text begins with, and of which types their members are.

   A record is right if it is JSON, is nested no deeper than is read, and has no name twice in an object; all else is left
   to others. That text is UTF-8 is known.

   Names are kept from call to call, each spelling once for every depth. At one depth one object is open at a time: so a
   name that bears the number of this very object is there a second time. Which name follows another, or is the first
   within it, is likely what it was before, and to compare with that is enough to know it. */

#include "memory.h"

enum {
  NAMES = 1 << 13,           /* how many are kept; with the first, which is none */
  BUCKETS = 1 << 14,
  SPELLED_BYTES = 1 << 18,   /* of the names that are kept, with their quotes */
  LONGEST_NAME = 1 << 10,
  DEEPEST = 1 << 10,
  UNWRITABLE = 1 << 15,      /* added to the depth of a name that has no spelling without escapes */
  MOST_ALIKE = 32,           /* names in a bucket that are looked at: more are made on purpose */
  MOST_OBJECTS = 1u << 31,
};

typedef enum { STRING, INTEGER, NUMBER, BOOLEAN, NIL, OBJECT, ARRAY, KINDS = 8 } kind;

typedef struct {
  uint32_t at;       /* where it is spelled */
  uint16_t size;     /* with its quotes */
  uint16_t depth;
  uint32_t meant;    /* the name without escapes, or itself */
  uint32_t object;   /* the last that had it, if that is this one */
  uint32_t next;     /* the name that followed it last */
  uint32_t inner;    /* the first name in the last object within it */
  uint32_t alike;    /* another one in its bucket */
  uint32_t column;   /* if it is one of a record */
} name;

typedef struct {
  uint32_t object;   /* its number; none for an array */
  uint32_t *likely;  /* where the next name is foretold, in an array the first one of its objects */
} level;

static name names[NAMES]; /* the first is at no depth, and so none */
static uint32_t used = 1, buckets[BUCKETS], objects, outermost;
static uint8_t spelled[SPELLED_BYTES + 16];
static uint32_t spelled_bytes;

static level open[DEEPEST];

/* What the host is told: the names of records in the order first seen, and how many values of each kind they have. */
static uint32_t columns[NAMES][2], known_columns, counts[NAMES * KINDS], kinds_of_records[KINDS];
static uint32_t seen[NAMES]; /* in this record: a column and a kind of value */

/* What is right. */
static bool lines;
static uint32_t deepest, longest;

/* Of one call: whether there was no room for a name. */
static bool is_full;

uint32_t *EXPORT(json_columns_at)(void) { return columns[0]; }
uint32_t *EXPORT(json_counts_at)(void) { return counts; }
uint32_t *EXPORT(json_kinds_at)(void) { return kinds_of_records; }
uint8_t *EXPORT(json_spelled_at)(void) { return spelled; }
uint32_t EXPORT(json_spelled_bytes)(void) { return SPELLED_BYTES; }
uint32_t EXPORT(json_names)(void) { return NAMES; }

/* Forget all names and counts. */
void EXPORT(json_forget)(void) {
  used = 1, spelled_bytes = 0, known_columns = outermost = 0;
  for (uint32_t i = 0; i < BUCKETS; i++) buckets[i] = 0;
  for (uint32_t i = 0; i < KINDS; i++) kinds_of_records[i] = 0;
}

/* Asked of whether they are lines, of depth and length: expect records as long and nested as deep as this at most. Each is
   ended by a line feed, and has none within, or else by a comma. */
void EXPORT(json_begin)(void) {
  lines = asked[0], deepest = asked[1] < DEEPEST ? asked[1] : DEEPEST, longest = asked[2];
  json_forget();
}

static inline uint64_t word_at(const uint8_t *at) {
  uint64_t word;
  __builtin_memcpy(&word, at, sizeof word);
  return word;
}

static inline uint32_t is(v128_t bytes, char byte) {
  return wasm_i8x16_bitmask(wasm_i8x16_eq(bytes, wasm_i8x16_splat(byte)));
}

/* -- what stands between tokens */

static __attribute__((noinline)) const uint8_t *past_run_of_space(const uint8_t *at) {
  for (;; at += 16) {
    const v128_t bytes = wasm_v128_load(at);
    uint32_t space = is(bytes, ' ') | is(bytes, '\t') | is(bytes, '\r');
    if (!lines) space |= is(bytes, '\n');
    const uint32_t other = ~space & 0xffff;
    if (other) return at + place(other);
  }
}

static inline const uint8_t *past_space(const uint8_t *at) {
  if (*at > ' ') return at;
  if (*at == ' ' && at[1] > ' ') return at + 1;
  return past_run_of_space(at);
}

/* -- scalars; null pointers for what is none */

/* The first quote, backslash or control character from here on. */
static inline const uint8_t *past_plain(const uint8_t *at) {
  for (;; at += 16) {
    const v128_t bytes = wasm_v128_load(at);
    v128_t stops = wasm_i8x16_eq(bytes, wasm_i8x16_splat('"'));
    stops = wasm_v128_or(stops, wasm_i8x16_eq(bytes, wasm_i8x16_splat('\\')));
    stops = wasm_v128_or(stops, wasm_u8x16_lt(bytes, wasm_i8x16_splat(' ')));
    const uint32_t found = wasm_i8x16_bitmask(stops);
    if (found) return at + place(found);
  }
}

static inline bool is_hex(uint8_t byte) {
  return (uint8_t)(byte - '0') < 10 || (uint8_t)((byte | 0x20) - 'a') < 6;
}

static __attribute__((noinline)) const uint8_t *past_escapes(const uint8_t *at) {
  while (*at == '\\') {
    switch (at[1]) {
      case '"': case '\\': case '/': case 'b': case 'f': case 'n': case 'r': case 't':
        at += 2;
        break;
      case 'u':
        for (int i = 2; i < 6; i++) if (!is_hex(at[i])) return 0;
        at += 6;
        break;
      default:
        return 0;
    }
    at = past_plain(at);
  }
  return *at == '"' ? at + 1 : 0;
}

/* Behind the string of which this is the first byte within quotes. */
static inline const uint8_t *past_string(const uint8_t *at) {
  at = past_plain(at);
  return *at == '"' ? at + 1 : past_escapes(at);
}

static inline const uint8_t *past_digits(const uint8_t *at) {
  for (;; at += 16) {
    const v128_t off = wasm_i8x16_sub(wasm_v128_load(at), wasm_i8x16_splat('0'));
    const uint32_t other = wasm_i8x16_bitmask(wasm_u8x16_gt(off, wasm_i8x16_splat(9)));
    if (other) return at + place(other);
  }
}

static inline const uint8_t *past_number(const uint8_t *at, uint32_t *found) {
  at += *at == '-';
  const uint8_t *end = past_digits(at);
  if (end == at || (*at == '0' && end > at + 1)) return 0;
  if (*end == '.') {
    *found |= NUMBER;
    at = end + 1;
    end = past_digits(at);
    if (end == at) return 0;
  } else if ((*end | 0x20) != 'e') {
    *found |= INTEGER;
    return end;
  }
  if ((*end | 0x20) == 'e') {
    *found |= NUMBER;
    at = end + 1;
    at += *at == '-' || *at == '+';
    end = past_digits(at);
    if (end == at) return 0;
  }
  return end;
}

/* -- names */

/* Whether text goes on with the name. */
static inline bool goes_on_with(const uint8_t *at, const name *with) {
  const uint8_t *spelling = spelled + with->at;
  for (uint32_t left = with->size;; left -= 16, at += 16, spelling += 16) {
    const v128_t same = wasm_i8x16_eq(wasm_v128_load(at), wasm_v128_load(spelling));
    const uint32_t differ = ~wasm_i8x16_bitmask(same);
    if (left <= 16) return !(differ & ((1u << left) - 1));
    if (differ & 0xffff) return false;
  }
}

static inline uint32_t bucket_of(const uint8_t *at, uint32_t size, uint32_t depth) {
  uint64_t mixed = (uint64_t)depth << 32 | size;
  for (; size > 8; at += 8, size -= 8) {
    mixed = (mixed ^ word_at(at)) * 0x9e3779b97f4a7c15;
    mixed ^= mixed >> 32;
  }
  mixed = (mixed ^ (word_at(at) << 8 * (8 - size))) * 0x9e3779b97f4a7c15;
  return mixed >> 50;
}

static uint32_t add_name(const uint8_t *at, uint32_t size, uint32_t depth, uint32_t *bucket, uint32_t meant) {
  if (used == NAMES || spelled_bytes + size > SPELLED_BYTES) {
    is_full = true;
    return 0;
  }
  names[used] = (name){.at = spelled_bytes, .size = size, .depth = depth, .alike = *bucket, .meant = meant};
  if (meant) {
    names[used].column = names[meant].column;
  } else {
    names[used].meant = used, names[used].column = known_columns;
    if ((depth & ~UNWRITABLE) == 1) {
      columns[known_columns][0] = spelled_bytes + 1, columns[known_columns][1] = size - 2;
      for (int i = 0; i < KINDS; i++) counts[known_columns * KINDS + i] = 0;
      known_columns++;
    }
  }
  for (uint32_t i = 0; i < size; i++) spelled[spelled_bytes + i] = at[i];
  spelled_bytes += (size + 15) & ~15;
  return *bucket = used++;
}

static uint32_t meant_by(const uint8_t *at, uint32_t depth);

/* The name that is spelled so, with its quotes; none if it may not be kept. */
static uint32_t kept_name(const uint8_t *at, uint32_t size, uint32_t depth, bool has_escapes) {
  uint32_t *bucket = &buckets[bucket_of(at, size, depth)], alike = 0, meant = 0;
  for (uint32_t each = *bucket; each; each = names[each].alike) {
    if (names[each].size == size && names[each].depth == depth && goes_on_with(at, &names[each])) return each;
    if (++alike == MOST_ALIKE) return 0;
  }
  if (has_escapes && !(meant = meant_by(at, depth))) return 0;
  return add_name(at, size, depth, bucket, meant);
}

/* The name that the text goes on with. */
static __attribute__((noinline)) uint32_t find_name(const uint8_t *at, uint32_t depth) {
  const uint8_t *end = past_plain(at + 1);
  const bool has_escapes = *end == '\\';
  end = has_escapes ? past_escapes(end) : *end == '"' ? end + 1 : 0;
  return end && end - at <= (int32_t)LONGEST_NAME ? kept_name(at, end - at, depth, has_escapes) : 0;
}

static uint32_t four_digits(const uint8_t *at) {
  uint32_t number = 0;
  for (int i = 0; i < 4; i++) number = number << 4 | (at[i] <= '9' ? at[i] - '0' : (at[i] | 0x20) - 'a' + 10);
  return number;
}

static uint8_t *write_character(uint8_t *to, uint32_t code) {
  if (code < 0x80) {
    *to++ = code;
    return to;
  }
  const int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  *to++ = 0xff80 >> more | code >> 6 * more;
  for (int i = more - 1; i >= 0; i--) *to++ = 0x80 | (code >> 6 * i & 0x3f);
  return to;
}

/* The name that is spelled with escapes, without them; none for half of a surrogate pair, which is no character. */
static uint32_t meant_by(const uint8_t *at, uint32_t depth) {
  static uint8_t plain[LONGEST_NAME + 16];
  uint8_t *to = plain;
  *to++ = *at++;
  while (*at != '"') {
    if (*at != '\\') {
      *to++ = *at++;
      continue;
    }
    uint32_t code = at[1];
    if (code == 'u') {
      code = four_digits(at + 2);
      at += 6;
      if (code >> 10 == 0xdc00 >> 10) return 0;
      if (code >> 10 == 0xd800 >> 10) {
        if (at[0] != '\\' || at[1] != 'u' || four_digits(at + 2) >> 10 != 0xdc00 >> 10) return 0;
        code = 0x10000 + ((code & 0x3ff) << 10 | (four_digits(at + 2) & 0x3ff));
        at += 6;
      }
    } else {
      const char *marks = "b\bf\fn\nr\rt\t";
      for (int i = 0; i < 10; i += 2) if (code == (uint8_t)marks[i]) { code = marks[i + 1]; break; }
      at += 2;
    }
    if (code < ' ' || code == '"' || code == '\\') depth |= UNWRITABLE;
    to = write_character(to, code);
  }
  *to++ = '"';
  return kept_name(plain, to - plain, depth, false);
}

/* -- records */

/* Behind the value that begins here, if that is right; how many members it has, and of which kind it is. */
static const uint8_t *past_record(const uint8_t *at, uint32_t *members, uint32_t *record) {
  uint32_t depth = 0, object = 0, elsewhere = 0, mine = 0;
  uint32_t *likely = &outermost, *within = &outermost, *found = record;

value:
  switch (*at) {
    case '"':
      at = past_string(at + 1);
      if (!at) return 0;
      *found |= STRING;
      goto after;
    case '-': case '0': case '1': case '2': case '3': case '4': case '5': case '6': case '7': case '8': case '9':
      at = past_number(at, found);
      if (!at) return 0;
      goto after;
    case '{':
      if (depth == deepest) return 0;
      open[depth++] = (level){object, likely};
      *found |= OBJECT;
      found = &elsewhere, object = ++objects, likely = within;
      at = past_space(at + 1);
      if (*at == '}') goto close;
      goto member;
    case '[':
      if (depth == deepest) return 0;
      open[depth++] = (level){object, likely};
      *found |= ARRAY;
      found = &elsewhere, object = 0, likely = within;
      at = past_space(at + 1);
      if (*at == ']') goto close;
      goto value;
    case 't':
      if ((uint32_t)word_at(at) != 0x65757274) return 0;
      *found |= BOOLEAN, at += 4;
      goto after;
    case 'f':
      if ((uint32_t)word_at(at + 1) != 0x65736c61) return 0;
      *found |= BOOLEAN, at += 5;
      goto after;
    case 'n':
      if ((uint32_t)word_at(at) != 0x6c6c756e) return 0;
      *found |= NIL, at += 4;
      goto after;
    default:
      return 0;
  }

member: {
  if (*at != '"') return 0;
  name *here = &names[*likely];
  if (here->depth != depth || !goes_on_with(at, here)) {
    const uint32_t is = find_name(at, depth);
    if (!is) return 0;
    *likely = is, here = &names[is];
  }
  name *meant = &names[here->meant];
  if (meant->object == object) return 0;
  meant->object = object;
  likely = &here->next, within = &here->inner;
  if (depth == 1) found = &seen[mine++], *found = here->column * KINDS;
  at += here->size;
  if (*at != ':') {
    at = past_space(at);
    if (*at != ':') return 0;
  }
  at = past_space(at + 1);
  goto value;
}

after:
  if (!depth) {
    *members = mine;
    return at;
  }
  at = past_space(at);
  if (*at == ',') {
    at = past_space(at + 1);
    if (object) goto member;
    goto value;
  }
  if (*at != (object ? '}' : ']')) return 0;

close:
  at++;
  depth--;
  object = open[depth].object, likely = open[depth].likely;
  found = &elsewhere;
  within = likely; /* of an array; in an object a name comes first */
  goto after;
}

/* Number objects anew, before numbers are used up. */
static void renumber(void) {
  for (uint32_t i = 0; i < used; i++) names[i].object = 0;
  objects = 0;
}

/* Asked of `begin` and `size`: records from `begin` up to `size`, up to the first that is not right, or is not ended.

   The answer: where the run ends, its records, how many columns are known with them, and whether there was no room for
   another name. */
void EXPORT(json_records)(void) {
  const uint32_t begin = asked[0], size = asked[1];
  uint32_t records = 0, end = begin, kept_columns = 0;
  const uint8_t ender = lines ? '\n' : ',';
  if (objects > MOST_OBJECTS) renumber();
  is_full = false;
  text[size] = 0; /* ends whatever is not ended */
  while (end < size) {
    uint32_t members = 0, record = 0;
    const uint8_t *first = past_space(text + end);
    const uint8_t *at = past_record(first, &members, &record);
    if (!at || at - first > (int32_t)longest) break;
    at = past_space(at);
    if (*at != ender) break;
    for (uint32_t i = 0; i < members; i++) counts[seen[i]]++;
    kinds_of_records[record]++;
    records++, end = at + 1 - text, kept_columns = known_columns;
  }
  answer[0] = end, answer[1] = records, answer[2] = kept_columns, answer[3] = is_full;
}
