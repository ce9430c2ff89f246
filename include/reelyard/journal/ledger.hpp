#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <unordered_map>
#include <vector>

#include "reelyard/journal/record.hpp"

namespace reelyard::journal {

/// What a manifest says: the last record of every id.
class Ledger {
public:
    Ledger() = default;

    /// A missing file is an empty ledger. A last line without its end was cut off by a crash, so
    /// nobody was told that it is there, and it does not count.
    /// \throws Error (input) naming file and line for any other line that is no record
    [[nodiscard]] static Ledger read(const std::filesystem::path& path);

    /// Nothing when there is no record of `id`; else it lives as long as the ledger does not
    /// change.
    [[nodiscard]] const Record* find(const std::string& id) const;

    /// One per id, in the order in which the ids first appeared.
    [[nodiscard]] const std::vector<Record>& records() const { return records_; }

    /// Takes the place of an earlier record of the same id.
    void put(Record record);

private:
    std::vector<Record> records_;
    std::unordered_map<std::string, std::size_t> position_;
};

}  // namespace reelyard::journal
