#include "csv.hpp"

#include <utility>

namespace reelyard::jobs {
namespace {

/// Reads the text field by field.
class CsvReader {
public:
    CsvReader(const std::filesystem::path& file, std::string_view text)
        : file_(file.string())
        , text_(text) {}

    [[nodiscard]] CsvTable read() {
        while (!at_end()) {
            read_record();
        }
        return std::move(table_);
    }

private:
    void read_record() {
        CsvRecord record{.line = line_, .fields = {}};
        const auto problems_before = table_.problems.size();
        do {
            record.fields.push_back(take("\"") ? quoted_field() : plain_field());
        } while (take(","));
        take_line_end();
        const bool is_blank = record.fields.size() == 1 && record.fields.front().empty();
        if (!is_blank && table_.problems.size() == problems_before) {
            table_.records.push_back(std::move(record));
        }
    }

    std::string plain_field() {
        std::string field;
        while (!at_end() && !at(",") && !at_line_end()) {
            field += text_[position_++];
        }
        if (field.find('"') != std::string::npos) {
            add_problem(line_,
                        "a quotation mark stands in a field that has none around it (expected the "
                        "whole field in quotation marks, and those in it doubled)");
        }
        return field;
    }

    /// What follows an opening quotation mark.
    std::string quoted_field() {
        const auto first_line = line_;
        std::string field;
        while (!at_end()) {
            if (take("\"\"")) {
                field += '"';
            } else if (take("\"")) {
                skip_after_quotes();
                return field;
            } else {
                line_ += at("\n") ? 1 : 0;
                field += text_[position_++];
            }
        }
        add_problem(first_line,
                    "a quotation mark opens a field that does not end (expected a closing one)");
        return field;
    }

    void skip_after_quotes() {
        if (at_end() || at(",") || at_line_end()) {
            return;
        }
        add_problem(line_,
                    "text follows the closing quotation mark of a field (expected a comma or the "
                    "end of the line; quotation marks in a field are doubled)");
        while (!at_end() && !at_line_end()) {
            ++position_;
        }
    }

    void take_line_end() {
        if (take("\r\n") || take("\n")) {
            ++line_;
        }
    }

    bool take(std::string_view token) {
        const bool there = at(token);
        position_ += there ? token.size() : 0;
        return there;
    }

    void add_problem(std::int64_t line, std::string text) {
        table_.problems.push_back({{.file = file_, .line = line}, std::move(text)});
    }

    [[nodiscard]] bool at_end() const { return position_ == text_.size(); }
    [[nodiscard]] bool at_line_end() const { return at("\n") || at("\r\n"); }
    [[nodiscard]] bool at(std::string_view token) const {
        return text_.substr(position_).starts_with(token);
    }

    std::string file_;
    std::string_view text_;
    std::size_t position_ = 0;
    std::int64_t line_ = 1;
    CsvTable table_;
};

}  // namespace

CsvTable parse_csv(const std::filesystem::path& file, std::string_view text) {
    return CsvReader(file, text).read();
}

}  // namespace reelyard::jobs
