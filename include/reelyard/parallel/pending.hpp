#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "reelyard/parallel/message_backend.hpp"

namespace reelyard::parallel {

/// An operation of a group that has been started: other work goes on until its result is needed.
class Pending {
public:
    /// What messages to users tell of it.
    struct Name {
        std::string group;      ///< "ulysses group 0-3"
        std::string operation;  ///< "all-to-all"
        double timeout = 0.0;   ///< seconds that wait() takes at most
    };
    /// What follows when the messages are through: nothing, or more messages.
    using Next = std::function<std::unique_ptr<Transfer>()>;

    /// Nothing is left to do.
    Pending() = default;
    /// \param stages what is to be done after the first transfer, one after the other
    Pending(Name name, std::unique_ptr<Transfer> first, std::vector<Next> stages);
    Pending(Pending&&) noexcept = default;
    Pending& operator=(Pending&&) noexcept = default;
    Pending(const Pending&) = delete;
    Pending& operator=(const Pending&) = delete;
    ~Pending() = default;

    /// Moves it on without waiting. \returns whether it is done \throws Error (communication)
    bool test();
    /// \throws Error (communication) that names group, operation and the ranks that are missing
    /// when they have not answered in time
    void wait();

private:
    void give_up() const;

    Name name_;
    std::unique_ptr<Transfer> transfer_;  ///< of the present stage; none: nothing to wait for
    std::vector<Next> stages_;            ///< that follow it
    std::size_t next_ = 0;
};

}  // namespace reelyard::parallel
