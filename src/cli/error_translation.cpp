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
        // The CPU allocator of LibTorch has no type of its own for a lack of memory.
        const std::string message = error.what_without_backtrace();
        const bool out_of_memory = message.find("not enough memory") != std::string::npos ||
                                   message.find("can't allocate memory") != std::string::npos;
        return {out_of_memory ? ErrorKind::resources : ErrorKind::internal, message};
    } catch (const std::bad_alloc&) {
        return {ErrorKind::resources, "out of memory"};
    } catch (const std::exception& error) {
        return {ErrorKind::internal, error.what()};
    }
}

}  // namespace reelyard::cli
