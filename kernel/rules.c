/* The values of delimited text: the records in which one breaks a rule, or may.

   A column's rule is an automaton over the bytes of a cell, and how many characters it may have. Each row of its steps is
   a state: where each class of bytes leads, as where that state's row begins, and what it means for a cell to end here. */

#include "memory.h"

enum { COLUMNS = 256, STEPS = 1 << 18, CLASSES = 256 };
enum { DOUBTFUL, RIGHT, RIGHT_IF_SO_LONG };
enum { MOST_DOUBTFUL = (ANSWERS - 3) / 3 };

typedef struct {
  bool is_judged;
  uint8_t class_of[CLASSES];
  uint32_t steps;        /* where its rows begin */
  uint32_t width;        /* how long a row is but for its last: what it means to end here */
  uint32_t start;
  uint32_t settled;      /* the rows up to this lead to themselves alone */
  uint32_t least, most;  /* characters */
} rule;

static rule rules[COLUMNS];
static uint32_t step[STEPS];
static uint32_t steps_taken;

/* Asked of a column, the text's size, and width, start, settled, least and most of its rule: judge it by that rule, of which
   the text is the classes and the steps. The answer: whether there is room for it. */
void EXPORT(judge_column)(void) {
  const uint32_t column = asked[0], count = (asked[1] - CLASSES) / 4;
  answer[0] = column < COLUMNS && count <= STEPS - steps_taken;
  if (!answer[0]) return;
  rules[column] = (rule){.is_judged = true, .steps = steps_taken, .width = asked[2], .start = asked[3], .settled = asked[4],
                         .least = asked[5], .most = asked[6]};
  __builtin_memcpy(rules[column].class_of, text, CLASSES);
  __builtin_memcpy(step + steps_taken, text + CLASSES, count * 4);
  steps_taken += count;
}

static bool has_length(const rule *of, uint32_t begin, uint32_t end, bool is_quoted) {
  if (!of->least && end - begin <= of->most) return true;
  uint32_t characters = 0;
  for (uint32_t at = begin; at < end; at++) {
    at += is_quoted && text[at] == '"'; /* the first of two */
    characters += (text[at] & 0xC0) != 0x80;
  }
  return of->least <= characters && characters <= of->most;
}

static inline uint32_t last_state(const rule *of, uint32_t at, uint32_t end, bool is_quoted) {
  const uint32_t *steps = step + of->steps;
  uint32_t state = of->start;
  while (at < end && state > of->settled) {
    const uint8_t byte = text[at++];
    state = steps[state + of->class_of[byte]];
    at += is_quoted && byte == '"'; /* the second of two */
  }
  return state;
}

/* Whether a cell of a column may be wrong. */
static bool is_wrong(uint32_t column, uint32_t begin, uint32_t end) {
  if (column >= COLUMNS || !rules[column].is_judged) return false;
  const rule *of = rules + column;
  const bool is_quoted = begin < end && text[begin] == '"';
  uint32_t state;
  if (is_quoted) {
    begin++, end--;
    state = last_state(of, begin, end, true);
  } else {
    state = last_state(of, begin, end, false);
  }
  const uint32_t meaning = step[of->steps + state + of->width];
  return meaning == DOUBTFUL || (meaning == RIGHT_IF_SO_LONG && !has_length(of, begin, end, is_quoted));
}

static void note(uint32_t at, uint32_t record, uint32_t begin, uint32_t end) {
  uint32_t *of = answer + 3 + 3 * at;
  of[0] = record, of[1] = begin, of[2] = end;
}

/* Asked of `begin`, `size`, the delimiter and whether the text is whole: records from `begin` up to `size`, which are right
   but for their values.

   If the text `is_whole`, the last one may have no end; else one that may go on behind it is not looked at. They end with
   the doubtful one for which there is just room.
   The answer: where they end, how many they are, how many of them are doubtful; and of each of these which one it is,
   where it begins and where it ends. */
void EXPORT(right_values)(void) {
  const uint32_t begin = asked[0], size = asked[1], delimiter = asked[2], is_whole = asked[3];
  uint32_t end = begin, records = 0, doubtful = 0, cell = begin, column = 0;
  uint64_t within = 0;
  bool is_doubtful = false;
  for (uint32_t at = begin; at < size; at += CHUNK) {
    const chunk here = chunk_at(text + at);
    const uint64_t known = size - at < CHUNK ? (1ull << (size - at)) - 1 : ~0ull;
    const uint64_t quotes = where(&here, '"') & known;
    const uint64_t ends = (where(&here, '\n') | where(&here, '\r')) & known;
    uint64_t marks = (where(&here, (uint8_t)delimiter) & known) | ends;
    if (quotes | within) {
      const uint64_t inner = parity(quotes) ^ within;
      marks &= ~inner;
      within = 0 - last(inner);
    }
    for (; marks; marks &= marks - 1) {
      const uint32_t mark = at + place(marks);
      if (mark < cell) continue; /* the second half of a CRLF */
      is_doubtful |= is_wrong(column++, cell, mark);
      cell = mark + 1;
      if (!(ends & lowest(marks))) continue;
      if (text[mark] == '\r') {
        if (cell == size && !is_whole) goto done; /* perhaps the first half of one */
        cell += cell < size && text[cell] == '\n';
      }
      if (is_doubtful) note(doubtful++, records, end, cell);
      end = cell, records++, column = 0, is_doubtful = false;
      if (doubtful == MOST_DOUBTFUL) goto done;
    }
  }
  if (is_whole && end < size) {
    if (is_doubtful | is_wrong(column, cell, size)) note(doubtful++, records, end, size);
    end = size, records++;
  }
done:
  answer[0] = end, answer[1] = records, answer[2] = doubtful;
}
