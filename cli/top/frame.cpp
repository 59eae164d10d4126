#include "cli/top/frame.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

#include "cli/common.hpp"
#include "cli/worker_view.hpp"
#include "common/base/text.hpp"

namespace eole::cli {

namespace {

constexpr std::size_t kHeadLines = 3;

enum Colour : int { kPlain = 0, kBold = 1, kRed = 31, kGreen = 32, kYellow = 33 };

Colour colour_of(const std::string& state) {
  if (state == "ready" || state == "done") return kGreen;
  return state == "failed" || state == "dead" ? kRed : kYellow;
}

/// A table: what it is called, and a line for each of its things.
struct Section {
  std::string title;
  std::vector<std::string> lines;
  std::size_t room = 0;
};

class Frame {
 public:
  Frame(const Value& snapshot, std::size_t columns, bool has_colours)
      : snapshot_(snapshot), columns_(columns), has_colours_(has_colours) {}

  std::string show(std::size_t rows) {
    put(text("eole top  ", said(snapshot_["time"]), "  ventilator ", said(snapshot_["ventilator"]),
             "  ", said(snapshot_["state"])),
        kBold);
    put(counts());
    put(rates());
    std::vector<Section> sections{workers(), projects(), tasks(), failures()};
    std::erase_if(sections, [](const Section& section) { return section.lines.empty(); });
    share(sections, rows);
    for (const auto& section : sections) {
      if (section.room == 0) continue;
      put("");
      put(section.title, kBold);
      const bool is_cut = section.lines.size() > section.room;
      const auto shown_lines = is_cut ? section.room - 1 : section.lines.size();
      for (std::size_t i = 0; i < shown_lines; ++i) out_ += section.lines[i] + "\n";
      if (is_cut) put(text("… ", section.lines.size() - shown_lines, " more"));
    }
    return std::move(out_);
  }

 private:
  static std::string said(const Value& value) { return shown(value.text_or("")); }
  std::string number(const char* name) const { return std::to_string(snapshot_[name].int_or(0)); }
  void put(const std::string& line, Colour colour = kPlain) {
    out_ += painted(line, colour) + "\n";
  }
  // Cut first: what colours it takes no room.
  std::string painted(const std::string& line, Colour colour) const {
    const auto cut = cut_to(line, columns_);
    return has_colours_ && colour != kPlain ? text("\033[", int{colour}, "m", cut, "\033[0m") : cut;
  }
  std::string counts() const {
    std::string line;
    for (const auto* name : {"queued", "running", "done", "failed", "dead", "cancelled"})
      line += text(line.empty() ? "" : "  ", name, " ", number(name));
    return line;
  }
  std::string rates() const {
    std::string line;
    const auto& all = snapshot_["rates"];
    for (const auto* name : {"accepted", "settled", "failed"}) {
      const auto* rate = all[name].as<double>();
      line += text(line.empty() ? "" : "  ", name, " ", rate == nullptr ? "-" : human_rate(*rate));
    }
    if (const auto* eta = snapshot_["eta_seconds"].as<double>())
      line += "  ETA " + human_seconds(*eta);
    for (const auto* name : {"journal", "log"})
      line += text("  ", name, " ",
                   human_bytes(static_cast<double>(snapshot_[text(name, "_bytes")].int_or(0))));
    return line;
  }

  // Each line is made by `line_of`, and has the colour of its state.
  template <class LineOf>
  Section section(const char* name, std::string title, const LineOf& line_of,
                  bool has_states = false) const {
    Section out{std::move(title), {}, 0};
    if (const auto* list = snapshot_[name].as<Value::Array>())
      for (const auto& each : *list) {
        const auto colour = has_states ? colour_of(each["state"].text_or("")) : kPlain;
        out.lines.push_back(painted(line_of(each), colour));
      }
    return out;
  }
  Section workers() const {
    const auto row = [](const std::string& name, const std::string& state, const std::string& slots,
                        const std::string& running, const std::string& held,
                        const std::string& has) {
      return text(cell(name, 18), " ", cell(state, 8), " ", cell(slots, 5), " ", cell(running, 7),
                  " ", cell(held, 6), " ", has);
    };
    return section(
        "workers", row("WORKER", "STATE", "SLOTS", "RUNNING", "HELD", "KINDS, HAS (free/all)"),
        [&](const Value& worker) {
          return row(worker["name"].text_or(""), worker["state"].text_or(""),
                     text(worker["slots"].int_or(0)), text(worker["running"].int_or(0)),
                     text(worker["held"].int_or(0)),
                     text(said(worker["kinds"]), "  ", offers_shown(worker)));
        },
        true);
  }
  Section projects() const {
    const auto row = [](const std::string& name, const std::string& running,
                        const std::string& done, const std::string& failed) {
      return text(cell(name, 27), " ", cell(running, 7), " ", cell(done, 10), " ", failed);
    };
    return section("projects", row("PROJECT", "RUNNING", "DONE", "FAILED (since it is shown)"),
                   [&](const Value& project) {
                     const auto name = project["project"].text_or("");
                     const auto progress = said(project["progress"]);
                     return row(
                         name.empty() ? "-" : name, text(project["running"].int_or(0)),
                         text(project["done"].int_or(0)),
                         text(project["failed"].int_or(0), progress.empty() ? "" : "  ", progress));
                   });
  }
  Section tasks() const {
    const auto row = [](const std::string& id, const std::string& kind, const std::string& project,
                        const std::string& worker, const std::string& age,
                        const std::string& progress) {
      return text(cell(id, 14), " ", cell(kind, 9), " ", cell(project, 10), " ", cell(worker, 10),
                  " ", cell(age, 8), " ", progress);
    };
    return section("tasks", row("TASK", "KIND", "PROJECT", "WORKER", "AGE", "PROGRESS"),
                   [&](const Value& task) {
                     const auto* age = task["age_seconds"].as<double>();
                     return row(task["id"].text_or(""), task["kind"].text_or(""),
                                task["project"].text_or(""), task["worker"].text_or(""),
                                age == nullptr ? "" : human_seconds(*age), said(task["progress"]));
                   });
  }
  Section failures() const {
    const auto row = [](const std::string& id, const std::string& state, const std::string& kind,
                        const std::string& project, const std::string& error) {
      return text(cell(id, 14), " ", cell(state, 9), " ", cell(kind, 9), " ", cell(project, 10),
                  " ", error);
    };
    return section(
        "failures", row("LAST FAILED", "STATE", "KIND", "PROJECT", "WHY"),
        [&](const Value& task) {
          return row(task["id"].text_or(""), task["state"].text_or(""), task["kind"].text_or(""),
                     task["project"].text_or(""), said(task["error"]));
        },
        true);
  }

  // A line for each in turn, until there are no more, or no more are wanted.
  static void share(std::vector<Section>& sections, std::size_t rows) {
    auto left = rows - std::min(rows, kHeadLines);
    for (bool is_given = true; is_given;) {
      is_given = false;
      for (auto& section : sections) {
        const std::size_t cost = section.room == 0 ? 3 : 1;  // With a blank line and its title.
        if (section.room == section.lines.size() || left < cost) continue;
        left -= cost;
        ++section.room;
        is_given = true;
      }
    }
  }

  const Value& snapshot_;
  std::size_t columns_;
  bool has_colours_;
  std::string out_;
};

}  // namespace

std::string top_frame(const Value& snapshot, std::size_t columns, std::size_t rows,
                      bool has_colours) {
  return Frame(snapshot, columns, has_colours).show(rows);
}

}  // namespace eole::cli
