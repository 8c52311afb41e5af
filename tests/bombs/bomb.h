// One kind of module that is cheap to write and dear to compile.
#pragma once

#include <string>
#include <vector>

namespace nur::bombs {

enum class Ending {
  artefact,   // it has to compile
  refusal,    // exit code 1, before or behind a tool's limit
  either,     // up to the C compiler and the machine
  tool_dies,  // exit code 1 or 3: the text's parser is not ours
};

struct Bomb {
  std::string name;
  Ending ending = Ending::either;
  // In the error of a refusal; of `either`, too, when it is refused.
  std::string says;
  bool quick = false;  // a few seconds at most
  std::string (*make)() = nullptr;
  bool is_text = false;
};

// Of what is in functions.
std::vector<Bomb> code_bombs();
// Of how many parts there are.
std::vector<Bomb> shape_bombs();

}  // namespace nur::bombs
