// Blocks by their lines. A quote or an item of a list is the lines inside of it, without what marks
// them, and is read in the same way.
#include <algorithm>
#include <cctype>
#include <optional>
#include <vector>

#include "markdown.h"

namespace markdown {
namespace {

// Quotes and lists in one another; deeper ones are text.
constexpr int kDepthMax = 32;

using Lines = std::vector<std::string>;

size_t indent_of(std::string_view line) {
  return std::min(line.find_first_not_of(' '), line.size());
}
bool is_blank(std::string_view line) { return indent_of(line) == line.size(); }

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \n");
  return first == std::string_view::npos
             ? std::string_view()
             : text.substr(first, text.find_last_not_of(" \n") - first + 1);
}

// Three or more of one of * - _, and nothing else but blanks.
bool is_break(std::string_view line) {
  const std::string_view text = trimmed(line);
  if (indent_of(line) > 3 || text.empty() || std::string_view("*-_").find(text[0]) > 2) {
    return false;
  }
  return std::ranges::count(text, text[0]) >= 3 &&
         std::ranges::all_of(text, [&](char c) { return c == text[0] || c == ' '; });
}

// 1 to 6 for "# heading", 0 for others.
size_t heading_level(std::string_view line) {
  if (indent_of(line) > 3) {
    return 0;
  }
  const std::string_view text = trimmed(line);
  const size_t level = std::min(text.find_first_not_of('#'), text.size());
  return level <= 6 && (level == text.size() || text[level] == ' ') ? level : 0;
}

struct Fence {
  char mark;
  size_t length;
  size_t indent;
  std::string info;
};

std::optional<Fence> fence_of(std::string_view line) {
  const size_t indent = indent_of(line);
  if (indent > 3 || indent == line.size() || (line[indent] != '`' && line[indent] != '~')) {
    return std::nullopt;
  }
  const char mark = line[indent];
  const size_t end = std::min(line.find_first_not_of(mark, indent), line.size());
  const std::string_view info = trimmed(line.substr(end));
  if (end - indent < 3 || (mark == '`' && info.find('`') != std::string_view::npos)) {
    return std::nullopt;
  }
  return Fence{mark, end - indent, indent, std::string(info)};
}

bool closes(const Fence& fence, std::string_view line) {
  const std::string_view text = trimmed(line);
  return indent_of(line) <= 3 && text.size() >= fence.length &&
         text.find_first_not_of(fence.mark) == std::string_view::npos;
}

struct Marker {
  char kind;  // the bullet, or what stands behind the number
  bool ordered;
  int number;
  size_t content;  // where the item's text begins in its first line
};

std::optional<Marker> marker_of(std::string_view line) {
  const size_t indent = indent_of(line);
  if (indent > 3 || indent == line.size() || is_break(line)) {
    return std::nullopt;
  }
  Marker marker{line[indent], false, 0, 0};
  size_t end = indent + 1;
  if (std::isdigit(static_cast<unsigned char>(line[indent])) != 0) {
    size_t at = indent;
    while (at < line.size() && at < indent + 9 &&
           std::isdigit(static_cast<unsigned char>(line[at])) != 0) {
      marker.number = marker.number * 10 + (line[at++] - '0');
    }
    if (at == line.size() || (line[at] != '.' && line[at] != ')')) {
      return std::nullopt;
    }
    marker.kind = line[at];
    marker.ordered = true;
    end = at + 1;
  } else if (marker.kind != '*' && marker.kind != '-' && marker.kind != '+') {
    return std::nullopt;
  }
  if (end < line.size() && line[end] != ' ') {
    return std::nullopt;
  }
  const size_t text = indent_of(line.substr(end));
  // An item may begin with an empty line, or with indented code.
  marker.content = end + (end + text == line.size() || text > 4 ? 1 : text);
  return marker;
}

bool is_quote(std::string_view line) {
  const size_t indent = indent_of(line);
  return indent <= 3 && indent < line.size() && line[indent] == '>';
}

// Whether a line ends the paragraph in front of it.
bool interrupts(std::string_view line) {
  if (is_blank(line) || is_break(line) || heading_level(line) > 0 || fence_of(line) ||
      is_quote(line)) {
    return true;
  }
  const std::optional<Marker> marker = marker_of(line);
  return marker && marker->content < line.size() && (!marker->ordered || marker->number == 1);
}

// "[label]: address" lines at the beginning of a paragraph.
void take_references(std::string& text, References& references) {
  while (text.starts_with('[')) {
    const size_t close = text.find("]:");
    if (close == std::string::npos || text.find(']') != close) {
      return;
    }
    const std::string label = label_of(std::string_view(text).substr(1, close - 1));
    size_t at = std::min(text.find_first_not_of(" \n", close + 2), text.size());
    Target target;
    if (label.empty() || !read_target(text, at, target)) {
      return;
    }
    const size_t end = std::min(text.find_first_not_of(' ', at), text.size());
    if (end < text.size() && text[end] != '\n') {
      return;
    }
    references.emplace(label, std::move(target));
    text.erase(0, std::min(end + 1, text.size()));
  }
}

struct Block;
using Blocks = std::vector<Block>;

struct Block {
  enum class Kind { paragraph, heading, rule, code, quote, list, item };
  Kind kind;
  std::string text;  // of a paragraph, a heading or code
  std::string info;  // of code
  size_t level = 0;  // of a heading
  bool tight = false;
  bool ordered = false;
  int number = 0;  // the first of a list
  Blocks children = {};
};

class Parser {
 public:
  explicit Parser(References& references) : references_(references) {}

  // Whether blank lines stand between blocks is left in `loose`.
  Blocks parse(const Lines& lines, int depth, bool* loose = nullptr) {
    Blocks blocks;
    bool blank = false;
    for (size_t at = 0; at < lines.size();) {
      if (is_blank(lines[at])) {
        blank = !blocks.empty();
        ++at;
        continue;
      }
      if (blank && loose != nullptr) {
        *loose = true;
      }
      blank = false;
      take(lines, at, depth, blocks);
    }
    return blocks;
  }

 private:
  void take(const Lines& lines, size_t& at, int depth, Blocks& blocks) {
    const std::string& line = lines[at];
    if (indent_of(line) >= 4) {
      return indented_code(lines, at, blocks);
    }
    if (const std::optional<Fence> fence = fence_of(line)) {
      return fenced_code(lines, at, *fence, blocks);
    }
    if (const size_t level = heading_level(line); level > 0) {
      std::string_view text = trimmed(trimmed(line).substr(level));
      const size_t end = text.find_last_not_of('#') + 1;
      if (end == 0 || text[end - 1] == ' ') {
        text = trimmed(text.substr(0, end));
      }
      blocks.push_back({Block::Kind::heading, std::string(text), "", level});
      ++at;
      return;
    }
    if (is_break(line)) {
      blocks.push_back({Block::Kind::rule, "", ""});
      ++at;
      return;
    }
    if (depth < kDepthMax && is_quote(line)) {
      return quote(lines, at, depth, blocks);
    }
    if (const std::optional<Marker> marker = marker_of(line); marker && depth < kDepthMax) {
      return list(lines, at, *marker, depth, blocks);
    }
    paragraph(lines, at, blocks);
  }

  static void indented_code(const Lines& lines, size_t& at, Blocks& blocks) {
    std::string code;
    size_t end = 0;
    for (; at < lines.size() && (is_blank(lines[at]) || indent_of(lines[at]) >= 4); ++at) {
      code += lines[at].substr(std::min<size_t>(4, lines[at].size()));
      code += '\n';
      if (!is_blank(lines[at])) {
        end = code.size();
      }
    }
    code.resize(end);
    blocks.push_back({Block::Kind::code, std::move(code), ""});
  }

  static void fenced_code(const Lines& lines, size_t& at, const Fence& fence, Blocks& blocks) {
    std::string code;
    for (++at; at < lines.size() && !closes(fence, lines[at]); ++at) {
      code += lines[at].substr(std::min(fence.indent, indent_of(lines[at])));
      code += '\n';
    }
    at = std::min(at + 1, lines.size());
    blocks.push_back(
        {Block::Kind::code, std::move(code), fence.info.substr(0, fence.info.find(' '))});
  }

  void quote(const Lines& lines, size_t& at, int depth, Blocks& blocks) {
    Lines inner;
    // A paragraph goes on without the mark.
    bool in_paragraph = false;
    for (; at < lines.size(); ++at) {
      const std::string& line = lines[at];
      if (is_quote(line)) {
        size_t start = indent_of(line) + 1;
        start += start < line.size() && line[start] == ' ' ? 1 : 0;
        inner.push_back(line.substr(start));
        in_paragraph = !interrupts(inner.back()) && indent_of(inner.back()) < 4;
      } else if (in_paragraph && !interrupts(line)) {
        inner.push_back(line);
      } else {
        break;
      }
    }
    blocks.push_back({Block::Kind::quote, "", ""});
    blocks.back().children = parse(inner, depth + 1);
  }

  void list(const Lines& lines, size_t& at, const Marker& first, int depth, Blocks& blocks) {
    Block list{Block::Kind::list, "", ""};
    list.ordered = first.ordered;
    list.number = first.number;
    bool loose = false;
    while (at < lines.size()) {
      const std::optional<Marker> marker = marker_of(lines[at]);
      if (!marker || marker->kind != first.kind || marker->ordered != first.ordered) {
        break;
      }
      Lines inner = {lines[at].substr(std::min(marker->content, lines[at].size()))};
      bool in_paragraph = !interrupts(inner[0]) && indent_of(inner[0]) < 4;
      size_t blanks = 0;
      for (++at; at < lines.size(); ++at) {
        const std::string& line = lines[at];
        if (is_blank(line)) {
          // An item that begins with two empty lines is empty.
          if (inner.size() == 1 && is_blank(inner[0])) {
            break;
          }
          ++blanks;
          in_paragraph = false;
          inner.emplace_back();
        } else if (indent_of(line) >= marker->content) {
          inner.push_back(line.substr(marker->content));
          blanks = 0;
          in_paragraph = in_paragraph || (!interrupts(inner.back()) && indent_of(inner.back()) < 4);
        } else if (in_paragraph && !interrupts(line) && !marker_of(line)) {
          inner.push_back(line);
        } else {
          break;
        }
      }
      inner.resize(inner.size() - blanks);
      list.children.push_back({Block::Kind::item, "", ""});
      list.children.back().children = parse(inner, depth + 1, &loose);
      while (at < lines.size() && is_blank(lines[at])) {
        ++at;
        ++blanks;
      }
      // Blank lines behind the last item belong to nothing.
      const bool goes_on = at < lines.size() && marker_of(lines[at]) &&
                           marker_of(lines[at])->kind == first.kind &&
                           marker_of(lines[at])->ordered == first.ordered;
      loose = loose || (blanks > 0 && goes_on);
    }
    list.tight = !loose;
    blocks.push_back(std::move(list));
  }

  void paragraph(const Lines& lines, size_t& at, Blocks& blocks) {
    std::string text(lines[at].substr(indent_of(lines[at])));
    for (++at; at < lines.size(); ++at) {
      const std::string& line = lines[at];
      const std::string_view mark = trimmed(line);
      // A line of = or - makes it a heading.
      if (indent_of(line) <= 3 && !mark.empty() && (mark[0] == '=' || mark[0] == '-') &&
          mark.find_first_not_of(mark[0]) == std::string_view::npos) {
        take_references(text, references_);
        if (!text.empty()) {
          ++at;
          blocks.push_back({Block::Kind::heading, std::string(trimmed(text)), "",
                            mark[0] == '=' ? size_t{1} : size_t{2}});
          return;
        }
      }
      if (interrupts(line)) {
        break;
      }
      (text += '\n') += line.substr(indent_of(line));
    }
    take_references(text, references_);
    if (!trimmed(text).empty()) {
      blocks.push_back({Block::Kind::paragraph, std::string(trimmed(text)), ""});
    }
  }

  References& references_;
};

void append_blocks(std::string& html, const Blocks& blocks, const References& references,
                   bool tight);

void append_block(std::string& html, const Block& block, const References& references, bool tight) {
  switch (block.kind) {
    case Block::Kind::paragraph:
      html += tight ? "" : "<p>";
      append_inline(html, block.text, references);
      html += tight ? "" : "</p>\n";
      break;
    case Block::Kind::heading: {
      const std::string name = "h" + std::to_string(block.level) + ">";
      html += "<" + name;
      append_inline(html, block.text, references);
      html += "</" + name + "\n";
      break;
    }
    case Block::Kind::rule:
      html += "<hr />\n";
      break;
    case Block::Kind::code:
      html += "<pre><code";
      if (!block.info.empty()) {
        html += " class=\"language-";
        append_escaped(html, block.info);
        html += '"';
      }
      html += '>';
      append_escaped(html, block.text);
      html += "</code></pre>\n";
      break;
    case Block::Kind::quote:
      html += "<blockquote>\n";
      append_blocks(html, block.children, references, false);
      html += "</blockquote>\n";
      break;
    case Block::Kind::list:
      html += block.ordered ? "<ol" : "<ul";
      if (block.ordered && block.number != 1) {
        html += " start=\"" + std::to_string(block.number) + "\"";
      }
      html += ">\n";
      append_blocks(html, block.children, references, block.tight);
      html += block.ordered ? "</ol>\n" : "</ul>\n";
      break;
    case Block::Kind::item:
      html += "<li>";
      if (!block.children.empty() && (!tight || block.children[0].kind != Block::Kind::paragraph)) {
        html += '\n';
      }
      append_blocks(html, block.children, references, tight);
      html += "</li>\n";
      break;
  }
}

void append_blocks(std::string& html, const Blocks& blocks, const References& references,
                   bool tight) {
  for (size_t i = 0; i < blocks.size(); ++i) {
    append_block(html, blocks[i], references, tight);
    if (tight && blocks[i].kind == Block::Kind::paragraph && i + 1 < blocks.size()) {
      html += '\n';
    }
  }
}

// Lines without their ends, and with blanks in place of leading tabs.
Lines lines_of(std::string_view text) {
  Lines lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) {
      line.remove_suffix(1);
    }
    std::string expanded;
    size_t at = 0;
    for (; at < line.size() && (line[at] == ' ' || line[at] == '\t'); ++at) {
      expanded.append(line[at] == ' ' ? 1 : 4 - expanded.size() % 4, ' ');
    }
    lines.push_back(expanded += line.substr(at));
  }
  return lines;
}

}  // namespace

std::string to_html(std::string_view text) {
  References references;
  const Blocks blocks = Parser(references).parse(lines_of(text), 0);
  std::string html;
  append_blocks(html, blocks, references, false);
  return html;
}

}  // namespace markdown
