#include "error_translation.hpp"

#include <new>
#include <string>

#include <c10/util/Exception.h>

namespace reelyard::cli {

Error to_error(const std::exception_ptr& exception) {
    try {
        std::rethrow_exception(exception);
    } catch (const Error& error) {
        return error;
    } catch (const c10::OutOfMemoryError& error) {
        return {ErrorKind::resources,
                std::string("out of memory: ") + error.what_without_backtrace()};
    } catch (const c10::Error& error) {
        // The CPU allocator of LibTorch has no type of its own for a lack of memory, and begins
        // with its place.
        const std::string message = error.what_without_backtrace();
        const auto allocator = message.find("DefaultCPUAllocator: ");
        if (allocator != std::string::npos) {
            return {ErrorKind::resources,
                    "out of memory: " + message.substr(message.find(' ', allocator) + 1)};
        }
        return {ErrorKind::internal, message};
    } catch (const std::bad_alloc&) {
        return {ErrorKind::resources, "out of memory"};
    } catch (const std::exception& error) {
        return {ErrorKind::internal, error.what()};
    }
}

}  // namespace reelyard::cli
