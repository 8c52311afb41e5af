// Markdown (the basics of CommonMark) to HTML. HTML in the text is never passed on: it is shown as
// it was written. Links lead to http, https, mailto or a place without a scheme, or nowhere.
//
//   text --blocks.cc--> headings, lists, quotes, code, paragraphs --inline.cc--> emphasis, links,
//   code
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace markdown {

struct Target {
  std::string url;
  std::string title;
};

// By label, in lower case and with single blanks: what "[label]: url" lines say.
using References = std::map<std::string, Target>;

// The whole of it.
std::string to_html(std::string_view text);

// The text of one paragraph or heading.
void append_inline(std::string& html, std::string_view text, const References& references);

// With & < > " written as entities.
void append_escaped(std::string& html, std::string_view text);

// A label as References has it.
std::string label_of(std::string_view text);

// Reads a link's address and title at `at`, as in (address "title") or [label]: address "title";
// moves `at` behind them. False: there is none.
bool read_target(std::string_view text, size_t& at, Target& target);

}  // namespace markdown
