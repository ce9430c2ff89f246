#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace reelyard::parity {

/// One tensor of a safetensors file, whatever its element type there.
struct Values {
    std::vector<std::int64_t> shape;
    std::vector<double> values;
};

/// \throws Error (input) when the file has no such tensor or its type is neither float32 nor int64
[[nodiscard]] Values read_values(const std::filesystem::path& file, const std::string& name);
/// Names of the tensors in a safetensors file.
[[nodiscard]] std::vector<std::string> tensor_names(const std::filesystem::path& file);

/// How far values are from the expected ones, relative to the largest expected value.
struct Deviation {
    double rms = 0.0;
    double max = 0.0;
};

/// \param found of the same number of elements as `expected`; anything that is not finite counts as
/// infinitely far
[[nodiscard]] Deviation deviation(const std::vector<double>& found,
                                  const std::vector<double>& expected);

/// The values of the last axis only where `mask`, one value per row, is 1.
[[nodiscard]] std::vector<double> rows_where(const Values& tensor, const Values& mask);

/// A checkpoint and what the reference computes from it, as make_fixtures.py leaves them.
struct Fixture {
    std::string name;
    std::filesystem::path folder;      ///< of the case files
    std::filesystem::path checkpoint;  ///< in the diffusers layout
};

/// Every fixture below `root`; one without a checkpoint of its own gets `default_checkpoint`.
[[nodiscard]] std::vector<Fixture> fixtures_in(const std::filesystem::path& root,
                                               const std::filesystem::path& default_checkpoint);

/// The list of cases: cases.json.
[[nodiscard]] nlohmann::json cases_of(const Fixture& fixture);

}  // namespace reelyard::parity
