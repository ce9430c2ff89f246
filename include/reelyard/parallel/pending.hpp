#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "reelyard/parallel/message_backend.hpp"
#include "reelyard/trace/exchange_span.hpp"

namespace reelyard::parallel {

/// An operation of a group that has been started: other work goes on until its result is needed.
class Pending {
public:
    /// What messages to users tell of it.
    struct Name {
        std::string group;      ///< "ulysses group 0-3"
        std::string operation;  ///< "all-to-all"
        double timeout = 0.0;   ///< seconds that wait() takes at most
        int rank = 0;           ///< of this rank in the group
        /// What the ranks of the group are called in the job; empty: as in the group.
        std::vector<int> members = {};
    };
    /// What follows when the messages are through: nothing, or more messages.
    using Next = std::function<std::unique_ptr<Transfer>()>;

    /// Nothing is left to do.
    Pending() = default;
    /// \param stages what is to be done after the first transfer, one after the other
    /// \param span that began with the first transfer; ends with the last
    Pending(Name name,
            std::unique_ptr<Transfer> first,
            std::vector<Next> stages,
            trace::ExchangeSpan span);
    Pending(Pending&&) noexcept = default;
    Pending& operator=(Pending&&) noexcept = default;
    Pending(const Pending&) = delete;
    Pending& operator=(const Pending&) = delete;
    ~Pending() = default;

    /// Moves it on without waiting. \returns whether it is done \throws Error (communication) that
    /// names group and operation
    bool test();
    /// \throws Error (communication) that names group, operation and the ranks that are missing
    /// when they have not answered in time
    void wait();

private:
    friend class StageOrder;
    class Work;

    // Shared with the StageOrder that it was given to, which only looks whether it is still there.
    std::shared_ptr<Work> work_;
};

/// Keeps the messages of operations in the order of the operations, however many stages these have
/// and whenever they are waited for.
class StageOrder {
public:
    /// Waits until the operation that was given last has started its last messages.
    /// \throws Error as Pending::wait()
    void close();
    /// An operation whose messages go before all that are started after the next close().
    void open(const Pending& operation) { last_ = operation.work_; }

private:
    std::weak_ptr<Pending::Work> last_;
};

}  // namespace reelyard::parallel
