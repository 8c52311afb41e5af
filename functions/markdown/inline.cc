// Emphasis as CommonMark finds it: runs of * and _ are kept on a list, and a run that can close is
// matched with the nearest one before it that can open. What remains stands for itself.
#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <list>
#include <vector>

#include "markdown.h"

namespace markdown {
namespace {

// Nesting of links in links' texts, and of brackets in addresses; beyond it, brackets are text.
constexpr int kDepthMax = 16;
// Longest address or title.
constexpr size_t kTargetBytesMax = 4096;

bool is_punctuation(char c) { return std::ispunct(static_cast<unsigned char>(c)) != 0; }
bool is_space(char c) { return c == ' ' || c == '\n' || c == '\t'; }

// An entity such as &amp; or &#38; at the beginning of `text`; 0 if there is none.
size_t entity_length(std::string_view text) {
  const size_t end = text.substr(0, 34).find(';');
  if (end == std::string_view::npos || end < 2) {
    return 0;
  }
  std::string_view name = text.substr(1, end - 1);
  if (name.front() == '#') {
    name.remove_prefix(1);
    const bool hexadecimal = name.starts_with('x') || name.starts_with('X');
    if (hexadecimal) {
      name.remove_prefix(1);
    }
    const bool digits = std::ranges::all_of(name, [&](unsigned char c) {
      return hexadecimal ? std::isxdigit(c) != 0 : std::isdigit(c) != 0;
    });
    return !name.empty() && name.size() <= 7 && digits ? end + 1 : 0;
  }
  return std::ranges::all_of(name, [](unsigned char c) { return std::isalnum(c) != 0; }) ? end + 1
                                                                                         : 0;
}

void append_text_char(std::string& html, char c) { append_escaped(html, std::string_view(&c, 1)); }

// Whether a browser may be sent there.
bool is_harmless(std::string_view url) {
  const size_t end = url.find_first_of(":/?#");
  if (end == std::string_view::npos || url[end] != ':') {
    return true;
  }
  std::string scheme(url.substr(0, end));
  std::ranges::transform(scheme, scheme.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return scheme == "http" || scheme == "https" || scheme == "mailto";
}

// In a URL, what must not stand there is written with percent signs.
void append_url(std::string& html, std::string_view url) {
  if (!is_harmless(url)) {
    return;
  }
  constexpr char kDigits[] = "0123456789ABCDEF";
  for (const char c : url) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= ' ' || byte >= 0x7f || c == '"' || c == '<' || c == '>' || c == '\\' || c == '`' ||
        c == '[' || c == ']') {
      ((html += '%') += kDigits[byte >> 4]) += kDigits[byte & 15];
    } else {
      append_text_char(html, c);
    }
  }
}

void append_attribute_title(std::string& html, const std::string& title) {
  if (!title.empty()) {
    html += " title=\"";
    append_escaped(html, title);
    html += '"';
  }
}

// A piece of the result: HTML, or a run of * or _ that may become tags.
struct Piece {
  std::string html;
  char run = 0;
  size_t length = 0;    // of the run that is left
  size_t original = 0;  // of the run at first
  bool opens = false;
  bool closes = false;
  std::string before;  // tags that the run became, on its sides
  std::string after;
};

class Inline {
 public:
  Inline(std::string_view text, const References& references, int depth)
      : text_(text), references_(references), depth_(depth) {}

  std::string render() {
    pieces_.emplace_back();
    while (at_ < text_.size()) {
      step();
    }
    match_runs();
    std::string html;
    for (const Piece& piece : pieces_) {
      html += piece.before;
      html.append(piece.length, piece.run);
      html += piece.after;
      html += piece.html;
    }
    return html;
  }

 private:
  std::string& out() { return pieces_.back().html; }

  void step() {
    const char c = text_[at_];
    switch (c) {
      case '\\':
        return escape();
      case '`':
        return code();
      case '*':
      case '_':
        return run();
      case '<':
        return autolink();
      case '&':
        if (const size_t length = entity_length(text_.substr(at_)); length > 0) {
          out() += text_.substr(at_, length);
          at_ += length;
          return;
        }
        break;
      case '!':
        if (text_.substr(at_).starts_with("![") && link(at_ + 1, true)) {
          return;
        }
        break;
      case '[':
        if (link(at_, false)) {
          return;
        }
        break;
      case '\n':
        return line_end();
      default:
        break;
    }
    append_text_char(out(), c);
    ++at_;
  }

  void escape() {
    const char next = at_ + 1 < text_.size() ? text_[at_ + 1] : 0;
    if (next == '\n') {
      out() += "<br />";
      ++at_;
    } else if (is_punctuation(next)) {
      append_text_char(out(), next);
      at_ += 2;
    } else {
      out() += '\\';
      ++at_;
    }
  }

  // Two blanks in front of a line's end break the line.
  void line_end() {
    std::string& html = out();
    const size_t end = html.find_last_not_of(' ') + 1;
    const bool breaks = html.size() - end >= 2;
    html.resize(end);
    html += breaks ? "<br />\n" : "\n";
    ++at_;
    while (at_ < text_.size() && text_[at_] == ' ') {
      ++at_;
    }
  }

  size_t run_length(size_t at) const {
    return std::min(text_.find_first_not_of(text_[at], at), text_.size()) - at;
  }

  void code() {
    const size_t length = run_length(at_);
    // Lengths that have no second run further on are known from the first search.
    if (length < no_more_ticks_.size() && !no_more_ticks_[length]) {
      for (size_t at = at_ + length; (at = text_.find('`', at)) != std::string_view::npos;) {
        const size_t other = run_length(at);
        if (other == length) {
          std::string code(text_.substr(at_ + length, at - at_ - length));
          std::ranges::replace(code, '\n', ' ');
          if (code.size() >= 2 && code.front() == ' ' && code.back() == ' ' &&
              code.find_first_not_of(' ') != std::string::npos) {
            code = code.substr(1, code.size() - 2);
          }
          out() += "<code>";
          append_escaped(out(), code);
          out() += "</code>";
          at_ = at + length;
          return;
        }
        at += other;
      }
      no_more_ticks_[length] = true;
    }
    out().append(length, '`');
    at_ += length;
  }

  void run() {
    const char c = text_[at_];
    const size_t length = run_length(at_);
    const char before = at_ > 0 ? text_[at_ - 1] : ' ';
    const char after = at_ + length < text_.size() ? text_[at_ + length] : ' ';
    const bool left =
        !is_space(after) && (!is_punctuation(after) || is_space(before) || is_punctuation(before));
    const bool right =
        !is_space(before) && (!is_punctuation(before) || is_space(after) || is_punctuation(after));
    Piece piece;
    piece.run = c;
    piece.length = piece.original = length;
    // Inside of words, _ is text.
    piece.opens = left && (c == '*' || !right || is_punctuation(before));
    piece.closes = right && (c == '*' || !left || is_punctuation(after));
    pieces_.push_back(std::move(piece));
    at_ += length;
  }

  // <https://...> and <me@there>
  void autolink() {
    const size_t end = text_.find_first_of("<> \n", at_ + 1);
    if (end != std::string_view::npos && text_[end] == '>') {
      const std::string_view inner = text_.substr(at_ + 1, end - at_ - 1);
      const size_t colon = inner.find(':');
      const bool is_url = colon != std::string_view::npos && colon >= 2 && colon <= 32 &&
                          std::isalpha(static_cast<unsigned char>(inner[0])) &&
                          std::ranges::all_of(inner.substr(0, colon), [](unsigned char c) {
                            return std::isalnum(c) || c == '+' || c == '.' || c == '-';
                          });
      const size_t at_sign = inner.find('@');
      const bool is_mail = at_sign != std::string_view::npos && at_sign > 0 &&
                           at_sign + 1 < inner.size() &&
                           inner.find_first_of("\\\"/:") == std::string_view::npos;
      if (is_url || is_mail) {
        out() += "<a href=\"";
        append_url(out(), is_url ? std::string(inner) : "mailto:" + std::string(inner));
        out() += "\">";
        append_escaped(out(), inner);
        out() += "</a>";
        at_ = end + 1;
        return;
      }
    }
    out() += "&lt;";
    ++at_;
  }

  // The ] that belongs to the [ at `open`; npos if there is none.
  size_t closing_bracket(size_t open) {
    int nested = 0;
    for (size_t at = open; at < text_.size(); ++at) {
      switch (text_[at]) {
        case '\\':
          ++at;
          break;
        case '`': {
          // Brackets in code are none.
          const size_t length = run_length(at);
          size_t end = at + length;
          while ((end = text_.find('`', end)) != std::string_view::npos &&
                 run_length(end) != length) {
            end += run_length(end);
          }
          at = (end == std::string_view::npos ? at : end) + length - 1;
          break;
        }
        case '[':
          ++nested;
          break;
        case ']':
          if (--nested == 0) {
            return at;
          }
          break;
        default:
          break;
      }
    }
    return std::string_view::npos;
  }

  bool link(size_t open, bool is_image) {
    // Where one bracket is not closed, those before it are not either.
    if (depth_ >= kDepthMax || open >= unclosed_from_) {
      return false;
    }
    const size_t close = closing_bracket(open);
    if (close == std::string_view::npos) {
      unclosed_from_ = open;
      return false;
    }
    const std::string_view inner = text_.substr(open + 1, close - open - 1);
    Target target;
    size_t end = close + 1;
    if (!inline_target(end, target) && !reference_target(end, inner, target)) {
      return false;
    }
    std::string content = Inline(inner, references_, depth_ + 1).render();
    if (is_image) {
      out() += "<img src=\"";
      append_url(out(), target.url);
      out() += "\" alt=\"";
      append_without_tags(content);
      out() += '"';
      append_attribute_title(out(), target.title);
      out() += " />";
    } else {
      // A link in a link's text is the link; the outer one is text.
      if (content.find("<a href=") != std::string::npos) {
        return false;
      }
      out() += "<a href=\"";
      append_url(out(), target.url);
      out() += '"';
      append_attribute_title(out(), target.title);
      out() += ">" + content + "</a>";
    }
    at_ = end;
    return true;
  }

  void append_without_tags(std::string_view content) {
    bool inside = false;
    for (const char c : content) {
      if (c == '<' || c == '>') {
        inside = c == '<';
      } else if (!inside) {
        out() += c;
      }
    }
  }

  bool inline_target(size_t& end, Target& target) const {
    if (end >= text_.size() || text_[end] != '(') {
      return false;
    }
    size_t at = std::min(text_.find_first_not_of(" \n", end + 1), text_.size());
    if (at < text_.size() && text_[at] != ')' && !read_target(text_, at, target)) {
      return false;
    }
    at = std::min(text_.find_first_not_of(" \n", at), text_.size());
    if (at >= text_.size() || text_[at] != ')') {
      return false;
    }
    end = at + 1;
    return true;
  }

  // [text][label], [text][] and [text]
  bool reference_target(size_t& end, std::string_view inner, Target& target) const {
    std::string_view label = inner;
    size_t behind = end;
    if (end < text_.size() && text_[end] == '[') {
      const size_t close = text_.find(']', end);
      if (close == std::string_view::npos) {
        return false;
      }
      if (close > end + 1) {
        label = text_.substr(end + 1, close - end - 1);
      }
      behind = close + 1;
    }
    const auto found = references_.find(label_of(label));
    if (found == references_.end()) {
      return false;
    }
    target = found->second;
    end = behind;
    return true;
  }

  void match_runs() {
    using Position = std::list<Piece>::iterator;
    // For each kind of closing run, what is known to hold no run that opens it.
    std::array<std::array<Position, 6>, 2> bottom;
    for (auto& row : bottom) {
      row.fill(pieces_.begin());
    }
    for (Position closer = pieces_.begin(); closer != pieces_.end(); ++closer) {
      while (closer->closes && closer->length > 0) {
        Position& stop = bottom[closer->run == '*'][closer->original % 3 + (closer->opens ? 3 : 0)];
        Position opener = closer;
        bool found = false;
        while (opener != stop && opener != pieces_.begin()) {
          --opener;
          if (opener->run == closer->run && opener->opens && opener->length > 0 &&
              fits(*opener, *closer)) {
            found = true;
            break;
          }
          if (opener == stop) {
            break;
          }
        }
        if (!found) {
          stop = closer == pieces_.begin() ? closer : std::prev(closer);
          break;
        }
        const bool strong = opener->length >= 2 && closer->length >= 2;
        // The innermost tags are nearest to the text between.
        opener->after.insert(0, strong ? "<strong>" : "<em>");
        closer->before += strong ? "</strong>" : "</em>";
        opener->length -= strong ? 2 : 1;
        closer->length -= strong ? 2 : 1;
        // What stands between the two is text from here on.
        for (Position between = std::next(opener); between != closer; ++between) {
          between->opens = between->closes = false;
        }
      }
    }
  }

  static bool fits(const Piece& opener, const Piece& closer) {
    const bool both_ways = opener.closes || closer.opens;
    return !both_ways || (opener.original + closer.original) % 3 != 0 ||
           (opener.original % 3 == 0 && closer.original % 3 == 0);
  }

  std::string_view text_;
  const References& references_;
  int depth_;
  size_t at_ = 0;
  size_t unclosed_from_ = std::string_view::npos;
  std::list<Piece> pieces_;
  std::array<bool, 64> no_more_ticks_ = {};
};

// Escapes and entities in an address or a title stand for what they mean in text.
std::string without_escapes(std::string_view text) {
  std::string result;
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\\' && at + 1 < text.size() && is_punctuation(text[at + 1])) {
      ++at;
    }
    result += text[at];
  }
  return result;
}

}  // namespace

void append_escaped(std::string& html, std::string_view text) {
  for (const char c : text) {
    switch (c) {
      case '&':
        html += "&amp;";
        break;
      case '<':
        html += "&lt;";
        break;
      case '>':
        html += "&gt;";
        break;
      case '"':
        html += "&quot;";
        break;
      case '\0':
        html += "\xef\xbf\xbd";
        break;
      default:
        html += c;
    }
  }
}

void append_inline(std::string& html, std::string_view text, const References& references) {
  html += Inline(text, references, 0).render();
}

std::string label_of(std::string_view text) {
  std::string label;
  for (const char c : text) {
    if (!is_space(c)) {
      label += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    } else if (!label.empty() && label.back() != ' ') {
      label += ' ';
    }
  }
  while (label.ends_with(' ')) {
    label.pop_back();
  }
  return label;
}

bool read_target(std::string_view text, size_t& at, Target& target) {
  size_t end = at;
  if (text.substr(at).starts_with('<')) {
    end = text.find_first_of("<>\n", at + 1);
    if (end == std::string_view::npos || text[end] != '>') {
      return false;
    }
    target.url = without_escapes(text.substr(at + 1, end - at - 1));
    ++end;
  } else {
    int nested = 0;
    for (; end < text.size() && end - at < kTargetBytesMax && !is_space(text[end]); ++end) {
      if (text[end] == '\\' && end + 1 < text.size() && is_punctuation(text[end + 1])) {
        ++end;
      } else if (text[end] == '(') {
        if (++nested > kDepthMax) {
          return false;
        }
      } else if (text[end] == ')' && --nested < 0) {
        break;
      }
    }
    if (end == at) {
      return false;
    }
    target.url = without_escapes(text.substr(at, end - at));
  }
  at = end;

  size_t quote = std::min(text.find_first_not_of(" \n", end), text.size());
  if (quote == end || quote == text.size()) {
    return true;
  }
  const char close = text[quote] == '(' ? ')' : text[quote];
  if (close != '"' && close != '\'' && close != ')') {
    return true;
  }
  for (size_t last = quote + 1; last < text.size() && last - quote < kTargetBytesMax; ++last) {
    if (text[last] == '\\') {
      ++last;
    } else if (text[last] == close) {
      target.title = without_escapes(text.substr(quote + 1, last - quote - 1));
      at = last + 1;
      break;
    }
  }
  return true;
}

}  // namespace markdown
