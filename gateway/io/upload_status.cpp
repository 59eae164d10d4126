#include "gateway/io/upload_status.hpp"

#include "common/base/text.hpp"
#include "gateway/core/http/file_names.hpp"
#include "gateway/core/upload.hpp"
#include "gateway/io/answers.hpp"
#include "gateway/io/tasks.hpp"

namespace eole::gateway {

using http::Problem;

awaitable<Value> upload_view(Ring ring, std::string name) {
  const auto id = task_in_name(name);
  if (!id) throw Problem(404, text(name, ": is no name that an upload was told"));
  auto view = need(co_await look_up(ring, *id));
  if (view.is_null()) throw Problem(404, text(name, ": there is no such upload"));
  view.set("id", to_text(*id));
  co_return view;
}

awaitable<Value> upload_status(Ring ring, std::string name) {
  const auto view = co_await upload_view(ring, name);
  const auto state = view["state"].text_or("");
  Value status = Value::Map{{"file_name", name}, {"task_id", view["id"]}, {"state", state}};
  if (is_over(view) && state == "done") {
    status.set("status", "completed");
    if (!view["artifact"].is_null())
      status.set("download_url", text("/download?file_name=", http::percent_encode(name)));
    status.set("result", view["value"]);
    status.set("artifact", view["artifact"]);
  } else if (is_over(view)) {
    status.set("status", "failed");
    status.set("error",
               view["error"].is_null() ? Value("its result is not kept any more") : view["error"]);
  } else {
    status.set("status", "processing");
  }
  co_return status;
}

}  // namespace eole::gateway
