#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "reelyard/spec/checkpoint_config.hpp"

namespace reelyard::models {

/// A JSON config of a checkpoint. A key that is missing takes the default; one of the wrong kind is
/// an Error (input) that names file, key, what was found and what was expected.
class ConfigFile {
public:
    /// \throws Error (input) when the checkpoint has no such file or it is not a JSON object
    ConfigFile(const CheckpointConfig& config, std::string path);
    ~ConfigFile();
    ConfigFile(const ConfigFile&) = delete;
    ConfigFile& operator=(const ConfigFile&) = delete;

    [[nodiscard]] const std::string& path() const { return path_; }
    /// Whether the key is missing or null.
    [[nodiscard]] bool is_unset(std::string_view key) const;

    /// At least 1.
    [[nodiscard]] std::int64_t positive(std::string_view key, std::int64_t otherwise) const;
    /// As positive(), for lists; `count` values if it is not 0.
    [[nodiscard]] std::vector<std::int64_t> positives(std::string_view key,
                                                      std::vector<std::int64_t> otherwise,
                                                      std::size_t count) const;
    [[nodiscard]] double number(std::string_view key, double otherwise) const;
    [[nodiscard]] std::vector<double> numbers(std::string_view key) const;
    [[nodiscard]] bool boolean(std::string_view key, bool otherwise) const;
    [[nodiscard]] std::string text(std::string_view key, std::string otherwise) const;

    /// \throws Error (input) unless the key is missing or null; `why` says what is not supported
    void require_unset(std::string_view key, std::string_view why) const;
    /// \throws Error (input) unless the key is missing, null or this text
    void require_text(std::string_view key, std::string_view expected) const;
    /// \throws Error (input) unless the key is missing, null or this value
    void require_boolean(std::string_view key, bool expected, std::string_view why) const;

    /// "path: 'key' is VALUE (expected EXPECTED)" as an Error (input).
    [[noreturn]] void refuse(std::string_view key, std::string_view expected) const;

    /// The value of a key, null when it is missing.
    [[nodiscard]] const nlohmann::json& value(std::string_view key) const;

private:
    std::string path_;
    std::unique_ptr<const nlohmann::json> json_;
};

}  // namespace reelyard::models
