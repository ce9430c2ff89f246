#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "mutation.hpp"

namespace reelyard::fuzz {

/// What a reader made of an input.
enum class Verdict { accepted, refused };

/// A reader under test.
struct Target {
    std::string name;
    std::vector<std::string> seeds;  ///< JSON texts
    /// Makes a whole input of the text of a seed, or of one that was made of it.
    std::function<std::string(const std::string& text, std::size_t seed)> frame;
    /// Changes what stands around the text.
    std::function<void(std::string& input, Random& random)> lie;
    /// Reads an input. \throws std::exception when the reader breaks a promise
    std::function<Verdict(std::string_view input)> check;
};

/// \param corpus the folder with the seeds of all targets
[[nodiscard]] Target make_target(const std::string& corpus);

/// \throws std::logic_error with `what`
void expect(bool condition, const std::string& what);

/// Runs a reader, which may refuse its input by an Error of kind input that names `place` in a
/// message that can be shown and logged. Whatever else it throws goes through.
[[nodiscard]] Verdict read_or_refuse(const std::function<void()>& read, const std::string& place);

/// The files of a folder, in the order of their names.
[[nodiscard]] std::vector<std::string> read_files(const std::string& folder);

}  // namespace reelyard::fuzz
