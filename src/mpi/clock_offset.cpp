#include "reelyard/mpi/clock_offset.hpp"

#include <limits>
#include <string>

namespace reelyard::mpi {
namespace {

using Clock = std::function<std::int64_t()>;

constexpr int round_trips = 16;
constexpr int root = 0;
constexpr int question_tag = 1;
constexpr int answer_tag = 2;

void answer(const Communicator& ranks, int asker, const Clock& clock) {
    for (int i = 0; i < round_trips; ++i) {
        (void)ranks.receive_text(asker, question_tag);
        ranks.send_text(std::to_string(clock()), asker, answer_tag);
    }
}

std::int64_t ask(const Communicator& ranks, const Clock& clock) {
    std::int64_t quickest = std::numeric_limits<std::int64_t>::max();
    std::int64_t offset = 0;
    for (int i = 0; i < round_trips; ++i) {
        const std::int64_t asked = clock();
        ranks.send_text({}, root, question_tag);
        const std::int64_t theirs = std::stoll(ranks.receive_text(root, answer_tag));
        const std::int64_t took = clock() - asked;
        if (took < quickest) {
            quickest = took;
            offset = asked + took / 2 - theirs;
        }
    }
    return offset;
}

}  // namespace

std::int64_t clock_offset(const Communicator& ranks, const NodeLayout& nodes, const Clock& clock) {
    const Communicator alone = ranks.duplicate();
    std::int64_t offset = 0;
    for (int node = 1; node < nodes.nodes(); ++node) {
        const int asker = nodes.ranks_of(node).front();
        if (alone.rank() == root) {
            answer(alone, asker, clock);
        } else if (alone.rank() == asker) {
            offset = ask(alone, clock);
        }
    }
    return std::stoll(nodes.node().broadcast_text(std::to_string(offset), root));
}

}  // namespace reelyard::mpi
