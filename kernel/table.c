/* Delimited text (RFC 4180): the right records that a text begins with.

   A quote is a bit of a word, and so is a delimiter and a line end. Whichever cells are quoted, each quote ends what the
   one before it began, so the exclusive or of all quotes before a byte tells whether it is within quotes. A quote that
   begins a cell must follow a delimiter, a line end or a quote that has just ended one (the two are an escaped one);
   behind a quote that ends, a delimiter, a line end or a quote must follow. */

#include "memory.h"

/* The state behind a chunk: bits of the last byte, and what was counted. */
typedef struct {
  uint64_t within;      /* all ones within quotes */
  uint64_t ended;       /* a quote that ended */
  uint64_t apart;       /* a byte that a quote may follow to begin */
  uint64_t returned;    /* a CR outside of quotes */
  uint64_t any_return;  /* a CR anywhere */
  uint32_t delimiters;  /* outside of quotes */
  uint32_t feeds, returns, pairs;
} scan;

/* Asked of `begin`, `size`, `width` and delimiter: records from `begin` up to `size`, each right and of so many cells, up to the first that is not, or is not ended.

   Only LF and CRLF end them here: another one ends the run, and is read elsewhere. So does a blank row.
   The answer: where the run ends, its records, those of them that CRLF ends, and all its LFs, CRs and CRLFs. */
void EXPORT(right_records)(void) {
  const uint32_t begin = asked[0], size = asked[1], width = asked[2], delimiter = asked[3];
  scan now = {.apart = 1};
  uint32_t end = begin, records = 0, with_return = 0, before_row = 0;
  uint32_t feeds = 0, returns = 0, pairs = 0;
  for (uint32_t at = begin; at < size; at += CHUNK) {
    const chunk here = chunk_at(text + at);
    const uint64_t known = size - at < CHUNK ? (1ull << (size - at)) - 1 : ~0ull;
    const uint64_t quotes = where(&here, '"') & known;
    const uint64_t all_feeds = where(&here, '\n') & known, all_returns = where(&here, '\r') & known;
    const uint64_t all_pairs = behind(all_returns, now.any_return) & all_feeds;
    uint64_t marks = where(&here, (uint8_t)delimiter) & known, ends = all_feeds, cr = all_returns, wrong = 0;

    if (quotes | now.within | now.ended) {
      const uint64_t within = parity(quotes) ^ now.within;
      const uint64_t begins = quotes & within, closes = quotes & ~within;
      marks &= ~within, ends &= ~within, cr &= ~within;
      const uint64_t apart = marks | ends | cr;
      wrong = begins & ~behind(apart | closes, now.apart);
      wrong |= behind(closes, now.ended) & ~(apart | quotes) & known;
      now.within = 0 - last(within);
      now.ended = last(closes);
      now.apart = last(apart | closes);
    } else {
      now.apart = last(marks | ends | cr);
    }
    wrong |= behind(cr, now.returned) & ~ends & known;
    const uint64_t with_cr = behind(cr, now.returned) & ends;
    now.returned = last(cr);

    uint64_t taken = 0;
    for (uint64_t rest = ends; rest; rest &= rest - 1) {
      const uint64_t feed = lowest(rest), before = feed - 1;
      const uint32_t delimiters = now.delimiters + count(marks & before), after = at + place(rest) + 1;
      const bool has_return = with_cr & feed, is_blank = after - end == 1u + has_return;
      if (wrong & (before | feed) || delimiters - before_row != width - 1 || is_blank) {
        wrong |= feed;
        break;
      }
      records++, with_return += has_return;
      end = after, before_row = delimiters, taken = before | feed;
    }
    if (taken) {
      feeds = now.feeds + count(all_feeds & taken);
      returns = now.returns + count(all_returns & taken);
      pairs = now.pairs + count(all_pairs & taken);
    }
    if (wrong) break;
    now.delimiters += count(marks);
    now.feeds += count(all_feeds), now.returns += count(all_returns), now.pairs += count(all_pairs);
    now.any_return = last(all_returns);
  }
  answer[0] = end, answer[1] = records, answer[2] = with_return;
  answer[3] = feeds, answer[4] = returns, answer[5] = pairs;
}
