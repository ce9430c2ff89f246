#include "reelyard/pipeline/text_stage.hpp"

#include <algorithm>
#include <exception>
#include <set>

#include <c10/core/InferenceMode.h>
#include <c10/util/Exception.h>

#include "reelyard/base/error.hpp"
#include "reelyard/pipeline/denoise_stage.hpp"
#include "reelyard/trace/span.hpp"

namespace reelyard::pipeline {
namespace {

/// An encoder that the ranks of a group go through together, whatever becomes of a text.
class InStep {
public:
    InStep(const models::Conditioner& conditioner, const parallel::VideoGroup& group)
        : conditioner_(conditioner)
        , group_(group) {}

    /// \throws Error (input) for a text that cannot be; (communication) for what the other ranks
    /// do not know of
    [[nodiscard]] models::Conditioning encode(const std::string& text) const {
        if (is_alone()) {
            return conditioner_.encode(text);
        }
        try {
            return encode_with_others(text);
        } catch (const Error& error) {
            if (error.kind() == ErrorKind::input) {
                help();  // nothing has been exchanged for it
            }
            throw;
        }
    }

    /// Goes through the encoder for the sake of the others.
    void help() const { (void)encode_with_others(""); }

private:
    [[nodiscard]] bool is_alone() const {
        return group_.tensor->size() == 1 && group_.shards->size() == 1;
    }

    [[nodiscard]] models::Conditioning encode_with_others(const std::string& text) const {
        try {
            return conditioner_.encode(text);
        } catch (const Error& error) {
            const bool is_known = error.kind() == ErrorKind::input && !text.empty();
            if (is_known || error.kind() == ErrorKind::communication) {
                throw;
            }
            fail_alone(error.what());
        } catch (const c10::Error& error) {
            fail_alone(error.what_without_backtrace());
        } catch (const std::exception& error) {
            fail_alone(error.what());
        }
    }

    /// The others wait for this rank and can only be ended with the job.
    [[noreturn]] void fail_alone(const std::string& why) const {
        fail(ErrorKind::communication,
             "rank {} of the {} ranks that encode texts together: {}",
             group_.replica->rank(),
             group_.replica->size(),
             why);
    }

    const models::Conditioner& conditioner_;
    const parallel::VideoGroup& group_;
};

}  // namespace

std::vector<std::string> distinct_texts(const std::vector<Task>& tasks) {
    std::set<std::string> texts;
    for (const Task& task : tasks) {
        texts.insert(task.prompt);
        if (uses_guidance(task)) {
            texts.insert(task.negative_prompt);
        }
    }
    std::vector<std::string> sorted(texts.begin(), texts.end());
    std::stable_sort(sorted.begin(), sorted.end(), [](const std::string& a, const std::string& b) {
        return a.size() > b.size();
    });
    return sorted;
}

std::vector<std::string> texts_of_rank(const std::vector<std::string>& texts, int rank, int ranks) {
    REELYARD_EXPECT(ranks > 0 && rank >= 0 && rank < ranks);
    std::vector<std::string> mine;
    for (auto i = static_cast<std::size_t>(rank); i < texts.size();
         i += static_cast<std::size_t>(ranks)) {
        mine.push_back(texts[i]);
    }
    return mine;
}

TextPart part_of_rank(const std::vector<std::string>& texts, int rank, int ranks) {
    TextPart part{.texts = texts_of_rank(texts, rank, ranks)};
    part.passes = part.texts.size();
    return part;
}

TextPart part_of_place(const std::vector<std::string>& texts,
                       const ParallelLayout& layout,
                       const GridPosition& position) {
    // Ranks that encode one text together are neighbours.
    const int encoders = layout.used_ranks() / layout.tensor;
    const int encoder = place_of(position, layout) / layout.tensor;
    TextPart part = part_of_rank(texts, encoder, encoders);
    part.keeps = position.tensor == 0;
    if (layout.shard_weights) {
        // The first of those that share weights has most texts.
        const int first = position.replica * layout.same_weights_size();
        part.passes = texts_of_rank(texts, first, encoders).size();
    }
    return part;
}

void encode_texts(const TextPart& part,
                  const models::Conditioner& conditioner,
                  const parallel::VideoGroup& group,
                  const ConditioningCache& cache) {
    const c10::InferenceMode inference;
    const InStep encoder(conditioner, group);
    const auto encode_one = [&](const std::string& text) {
        const models::Conditioning encoded = encoder.encode(text);
        if (part.keeps) {
            cache.put(text, encoded);
        }
    };
    std::exception_ptr failure;
    for (std::size_t pass = 0; pass < part.passes; ++pass) {
        const trace::Span span(group.recorder(), "text", static_cast<std::int64_t>(pass));
        if (pass >= part.texts.size()) {
            encoder.help();
            continue;
        }
        const std::string& text = part.texts[pass];
        try {
            in_context([&] { encode_one(text); }, "encoding the text '{}'", text.substr(0, 60));
        } catch (const Error& error) {
            if (error.kind() == ErrorKind::communication) {
                throw;
            }
            failure = failure ? failure : std::current_exception();
        }
    }
    if (failure) {
        std::rethrow_exception(failure);
    }
}

}  // namespace reelyard::pipeline
