#include "reelyard/jobs/prompt_list.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include <nlohmann/json.hpp>

#include "reelyard/base/error.hpp"

#include "parsing/csv.hpp"
#include "parsing/nearest_name.hpp"
#include "parsing/text_lines.hpp"

namespace reelyard::jobs {
namespace {

/// Makes prompts of fields and notes what does not fit.
class PromptReader {
public:
    PromptReader(PromptList& list, const KnownNames& names) : list_(list), names_(names) {
        for (const auto& key : generation_keys()) {
            keys_.push_back(key.name);
        }
    }

    [[nodiscard]] static bool is_number(std::string_view key) {
        const auto& keys = generation_keys();
        return std::any_of(keys.begin(), keys.end(), [&](const auto& each) {
            return each.name == key && each.kind == ValueKind::number;
        });
    }

    void begin(std::int64_t line) {
        prompt_ = {.line = line, .id = {}, .text = {}, .settings = {}};
    }

    bool check_key(const std::string& key) {
        if (std::find(keys_.begin(), keys_.end(), key) != keys_.end()) {
            return true;
        }
        add_problem(fmt::format("{} is no key of a prompt (expected {}){}",
                                in_quotes(key),
                                fmt::join(keys_, ", "),
                                suggestion(key, keys_)));
        return false;
    }

    /// \param key a known one
    void set(const std::string& key, const std::string& text) {
        if (key == "id") {
            prompt_.id = text;
            if (const auto problem = id_problem(text); !problem.empty()) {
                add_problem(fmt::format("'id' is {}", problem));
            }
        } else if (key == "prompt") {
            set_prompt(text);
        } else if (const auto expected = set_from_text(prompt_.settings, key, text, names_)) {
            add_problem(fmt::format("'{}' is {} (expected {})", key, in_quotes(text), *expected));
        }
    }

    void add_problem(std::string text) {
        list_.problems.push_back(
            {{.file = list_.file.string(), .line = prompt_.line}, std::move(text)});
    }

    void finish(bool has_prompt) {
        if (!has_prompt) {
            add_problem("'prompt' is missing (expected the text of the prompt)");
        }
        list_.prompts.push_back(std::move(prompt_));
    }

private:
    void set_prompt(const std::string& text) {
        prompt_.text = text;
        if (trimmed(text).empty()) {
            add_problem("'prompt' is empty (expected the text of the prompt)");
        } else if (text.find('\0') != std::string::npos) {
            add_problem(
                fmt::format("'prompt' is {} (expected text without zero bytes)", in_quotes(text)));
        }
    }

    PromptList& list_;
    const KnownNames& names_;
    std::vector<std::string> keys_{"id", "prompt"};
    Prompt prompt_;
};

void read_plain_lines(const std::vector<std::string>& lines, PromptReader& reader) {
    std::int64_t number = 0;
    for (const auto& line : lines) {
        reader.begin(++number);
        const auto text = trimmed(line);
        if (text.empty() || text.starts_with('#')) {
            continue;
        }
        reader.set("prompt", std::string(text));
        reader.finish(true);
    }
}

/// One line of JSON; keys that are there more than once are noted.
nlohmann::json parse_json_line(const std::string& line, PromptReader& reader) {
    using Event = nlohmann::json::parse_event_t;
    std::set<std::string> keys;
    const auto note_doubles = [&](int depth, Event event, nlohmann::json& parsed) {
        if (event == Event::key && depth == 1 && !keys.insert(parsed.get<std::string>()).second) {
            reader.add_problem(fmt::format("{} is there more than once (expected each key once)",
                                           in_quotes(parsed.get<std::string>())));
        }
        return true;
    };
    return nlohmann::json::parse(line, note_doubles);
}

/// The library's message from where it says which column.
std::string json_message(const nlohmann::json::parse_error& error) {
    const std::string text = error.what();
    const auto column = text.find("column ");
    return column == std::string::npos ? text : "at " + text.substr(column);
}

void read_json_value(const std::string& key, const nlohmann::json& value, PromptReader& reader) {
    const bool id_number = key == "id" && value.is_number_integer();
    if (value.is_null()) {
        return;
    }
    if (PromptReader::is_number(key) ? value.is_number() : id_number) {
        reader.set(key, value.dump());
    } else if (!PromptReader::is_number(key) && value.is_string()) {
        reader.set(key, value.get<std::string>());
    } else {
        reader.add_problem(fmt::format("'{}' is {} (expected {})",
                                       key,
                                       in_quotes(value.dump()),
                                       PromptReader::is_number(key) ? "a number" : "text"));
    }
}

void read_json_line(const std::string& line, PromptReader& reader) {
    constexpr std::string_view expected = R"(expected one object a line, like {"prompt": "..."})";
    nlohmann::json json;
    try {
        json = parse_json_line(line, reader);
    } catch (const nlohmann::json::parse_error& error) {
        reader.add_problem(fmt::format("no JSON {} ({})", json_message(error), expected));
        return;
    }
    if (!json.is_object()) {
        reader.add_problem(fmt::format("{} is no JSON object ({})", in_quotes(line), expected));
        return;
    }
    for (const auto& [key, value] : json.items()) {
        if (reader.check_key(key)) {
            read_json_value(key, value, reader);
        }
    }
    reader.finish(json.contains("prompt") && !json["prompt"].is_null());
}

void read_json_lines(const std::vector<std::string>& lines, PromptReader& reader) {
    std::int64_t number = 0;
    for (const auto& line : lines) {
        reader.begin(++number);
        if (!trimmed(line).empty()) {
            read_json_line(line, reader);
        }
    }
}

/// The columns' names; those that cannot be used are noted and empty.
std::vector<std::string> read_csv_header(const CsvRecord& header, PromptReader& reader) {
    reader.begin(header.line);
    std::vector<std::string> columns;
    for (const auto& field : header.fields) {
        const std::string name(trimmed(field));
        const bool doubled = std::find(columns.begin(), columns.end(), name) != columns.end();
        if (doubled) {
            reader.add_problem(fmt::format("column {} is there more than once (expected each once)",
                                           in_quotes(name)));
        }
        columns.push_back(!doubled && reader.check_key(name) ? name : std::string());
    }
    if (std::find(columns.begin(), columns.end(), "prompt") == columns.end()) {
        reader.add_problem(
            "there is no column 'prompt' (expected a first line with the names of "
            "the columns)");
    }
    return columns;
}

void read_csv_record(const CsvRecord& record,
                     const std::vector<std::string>& columns,
                     PromptReader& reader) {
    reader.begin(record.line);
    if (record.fields.size() != columns.size()) {
        reader.add_problem(
            fmt::format("there are {} fields (expected {}, one per column); a "
                        "field with a comma needs quotation marks around it",
                        record.fields.size(),
                        columns.size()));
        return;
    }
    for (std::size_t i = 0; i < columns.size(); ++i) {
        const bool is_given = !record.fields[i].empty() || columns[i] == "prompt";
        if (!columns[i].empty() && is_given) {
            reader.set(columns[i], record.fields[i]);
        }
    }
    reader.finish(true);
}

void read_csv(const CsvTable& table, PromptReader& reader) {
    const bool header_is_broken =
        !table.problems.empty() &&
        (table.records.empty() || table.problems.front().place.line < table.records.front().line);
    if (table.records.empty() || header_is_broken) {
        return;
    }
    const auto columns = read_csv_header(table.records.front(), reader);
    const bool has_prompts = std::find(columns.begin(), columns.end(), "prompt") != columns.end();
    if (!has_prompts) {
        return;
    }
    for (std::size_t i = 1; i < table.records.size(); ++i) {
        read_csv_record(table.records[i], columns, reader);
    }
}

/// Names that Windows keeps for devices, with any extension.
bool is_device_name(const std::string& id) {
    constexpr std::array<std::string_view, 4> names{"con", "prn", "aux", "nul"};
    const auto lower = lower_case(id);
    const bool numbered = lower.size() == 4 && lower[3] >= '1' && lower[3] <= '9' &&
                          (lower.starts_with("com") || lower.starts_with("lpt"));
    return numbered || std::find(names.begin(), names.end(), lower) != names.end();
}

}  // namespace

std::string id_problem(const std::string& id) {
    constexpr std::size_t most_bytes = 200;  // file systems take 255, and endings come after it
    constexpr std::string_view separators = R"(./\:*?"<>|)";
    if (id.empty()) {
        return "empty (expected a name for files, or no 'id' at all)";
    }
    if (id.size() > most_bytes) {
        return fmt::format(
            "{}, {} bytes (expected at most {})", in_quotes(id), id.size(), most_bytes);
    }
    const bool has_control = std::any_of(id.begin(), id.end(), [](char letter) {
        return static_cast<unsigned char>(letter) < 0x20 || letter == 0x7f;
    });
    if (has_control || id.find_first_of(separators) != std::string::npos) {
        return fmt::format("{} (expected a file name without control characters and any of {})",
                           in_quotes(id),
                           separators);
    }
    if (id.starts_with('-') || id.starts_with(' ') || id.ends_with(' ')) {
        return fmt::format("{} (expected no '-' at the beginning and no blanks at the ends)",
                           in_quotes(id));
    }
    if (is_device_name(id)) {
        return fmt::format("{} (expected none of the names that Windows keeps for devices)",
                           in_quotes(id));
    }
    return {};
}

PromptList read_prompt_list(const std::filesystem::path& file, const KnownNames& names) {
    const auto ending = lower_case(file.extension().string());
    require(ending == ".txt" || ending == ".jsonl" || ending == ".csv",
            ErrorKind::input,
            "{}: the name ends with {} (expected .txt, .jsonl or .csv)",
            file.string(),
            in_quotes(ending));
    const auto text = read_utf8_file(file);
    auto lines = split_lines(text);
    PromptList list{.file = file, .prompts = {}, .problems = encoding_problems(file, lines)};
    for (const auto& problem : list.problems) {
        lines[static_cast<std::size_t>(problem.place.line - 1)].clear();
    }
    PromptReader reader(list, names);
    if (ending == ".txt") {
        read_plain_lines(lines, reader);
    } else if (ending == ".jsonl") {
        read_json_lines(lines, reader);
    } else {
        const auto table = parse_csv(file, text);
        list.problems.insert(list.problems.end(), table.problems.begin(), table.problems.end());
        read_csv(table, reader);
    }
    if (list.prompts.empty() && list.problems.empty()) {
        list.problems.push_back(
            {{.file = file.string()}, "there is no prompt in it (expected at least one)"});
    }
    return list;
}

}  // namespace reelyard::jobs
