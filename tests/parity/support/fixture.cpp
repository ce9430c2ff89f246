#include "support/fixture.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>

#include <nlohmann/json.hpp>

#include "reelyard/base/error.hpp"
#include "reelyard/store/safetensors_file.hpp"

namespace reelyard::parity {
namespace {

template <typename T>
std::vector<double> widened(const std::vector<std::byte>& bytes) {
    std::vector<T> values(bytes.size() / sizeof(T));
    std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
    return {values.begin(), values.end()};
}

}  // namespace

Values read_values(const std::filesystem::path& file, const std::string& name) {
    const store::SafetensorsFile source(file);
    const auto entry = std::find_if(
        source.entries().begin(), source.entries().end(), [&](const store::SafetensorsEntry& each) {
            return each.name == name;
        });
    require(entry != source.entries().end(),
            ErrorKind::input,
            "{}: no tensor '{}'",
            file.string(),
            name);
    std::vector<std::byte> bytes(static_cast<std::size_t>(entry->bytes));
    source.read(entry->offset, bytes);
    if (entry->dtype == "I64") {
        return {entry->shape, widened<std::int64_t>(bytes)};
    }
    require(entry->dtype == "F32",
            ErrorKind::input,
            "{}: tensor '{}' has type {} (expected F32 or I64)",
            file.string(),
            name,
            entry->dtype);
    return {entry->shape, widened<float>(bytes)};
}

std::vector<std::string> tensor_names(const std::filesystem::path& file) {
    std::vector<std::string> names;
    const store::SafetensorsFile source(file);
    for (const store::SafetensorsEntry& entry : source.entries()) {
        names.push_back(entry.name);
    }
    return names;
}

Deviation deviation(const std::vector<double>& found, const std::vector<double>& expected) {
    double largest = 0.0;
    double worst = 0.0;
    double squares = 0.0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
        const double error = std::isfinite(found.at(i)) ? std::abs(found[i] - expected[i])
                                                        : std::numeric_limits<double>::infinity();
        largest = std::max(largest, std::abs(expected[i]));
        worst = std::max(worst, error);
        squares += error * error;
    }
    const double scale = largest > 0.0 ? largest : 1.0;
    return {std::sqrt(squares / static_cast<double>(expected.size())) / scale, worst / scale};
}

std::vector<double> rows_where(const Values& tensor, const Values& mask) {
    const auto width = static_cast<std::size_t>(tensor.shape.back());
    std::vector<double> kept;
    for (std::size_t row = 0; row < mask.values.size(); ++row) {
        if (mask.values[row] != 0.0) {
            const auto begin = tensor.values.begin() + static_cast<std::ptrdiff_t>(row * width);
            kept.insert(kept.end(), begin, begin + static_cast<std::ptrdiff_t>(width));
        }
    }
    return kept;
}

std::vector<Fixture> fixtures_in(const std::filesystem::path& root,
                                 const std::filesystem::path& default_checkpoint) {
    std::vector<Fixture> fixtures;
    for (const auto& entry : std::filesystem::directory_iterator(root)) {
        if (std::filesystem::exists(entry.path() / "cases.json")) {
            const std::filesystem::path own = entry.path() / "checkpoint";
            fixtures.push_back({entry.path().filename().string(),
                                entry.path(),
                                std::filesystem::exists(own) ? own : default_checkpoint});
        }
    }
    std::sort(fixtures.begin(), fixtures.end(), [](const Fixture& a, const Fixture& b) {
        return a.name < b.name;
    });
    return fixtures;
}

nlohmann::json cases_of(const Fixture& fixture) {
    std::ifstream file(fixture.folder / "cases.json");
    return nlohmann::json::parse(file).at("cases");
}

}  // namespace reelyard::parity
