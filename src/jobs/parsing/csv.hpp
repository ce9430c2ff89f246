#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "reelyard/jobs/problems.hpp"

namespace reelyard::jobs {

/// One record of a CSV file.
struct CsvRecord {
    std::int64_t line = 0;  ///< where it begins
    std::vector<std::string> fields;
};

struct CsvTable {
    std::vector<CsvRecord> records;  ///< without empty lines and without those that have problems
    std::vector<Problem> problems;
};

/// Takes CSV apart by RFC 4180: commas, fields in quotation marks may hold commas, line ends and
/// doubled quotation marks; records end with LF or CRLF.
[[nodiscard]] CsvTable parse_csv(const std::filesystem::path& file, std::string_view text);

}  // namespace reelyard::jobs
