// Writes small PDFs for tests: text in the standard fonts, grey images, an outline, metadata.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

namespace tome {

class PdfWriter {
 public:
  static constexpr int kWidth = 600;  // points
  static constexpr int kHeight = 800;

  // The pages that follow have this text and these images. Returns the index of the page.
  size_t AddPage() {
    pages_.emplace_back();
    return pages_.size() - 1;
  }

  // On the last page; `y` is the base line, from the top of the page. `font` is "Helvetica",
  // "Helvetica-Bold" or "Courier".
  void Text(int x, int y, std::string_view text, int size = 10,
            std::string_view font = "Helvetica") {
    std::string escaped;
    for (const char c : text) {
      if (c == '(' || c == ')' || c == '\\') escaped += '\\';
      escaped += c;
    }
    const int number = font == "Helvetica" ? 1 : font == "Courier" ? 3 : 2;
    pages_.back().content +=
        fmt::format("BT /F{} {} Tf {} {} Td ({}) Tj ET\n", number, size, x, kHeight - y, escaped);
  }

  // A grey picture that fills the last page; `pixels` has width * height bytes.
  void Picture(int width, int height, std::string pixels) {
    Page& page = pages_.back();
    page.content += fmt::format("q {} 0 0 {} 0 0 cm /Im Do Q\n", kWidth, kHeight);
    page.image = fmt::format(
        "<< /Type /XObject /Subtype /Image /Width {} /Height {} /ColorSpace /DeviceGray "
        "/BitsPerComponent 8 /Length {} >>\nstream\n{}\nendstream",
        width, height, pixels.size(), pixels);
  }

  // An entry of the outline, all of one level; `y` from the top of the page.
  void OutlineEntry(std::string_view title, size_t page, int y) {
    outline_.push_back({std::string(title), page, kHeight - y});
  }

  void SetTitle(std::string_view title) { title_ = title; }
  // Demands a user password: no password fits these keys. The content itself stays plain.
  void Lock() { locked_ = true; }

  std::string Finish() {
    // Objects 1 to 5: catalog, page tree, outline, information, encryption; then fonts.
    constexpr size_t kFonts = 6;
    constexpr size_t kFirstPage = kFonts + 3;
    const size_t first_entry = kFirstPage + 3 * pages_.size();
    std::vector<std::string> objects(first_entry + outline_.size());
    objects[1] = "<< /Type /Catalog /Pages 2 0 R /Outlines 3 0 R >>";
    objects[2] = fmt::format("<< /Type /Pages /Count {} /Kids [", pages_.size());
    objects[3] = "<< /Type /Outlines";
    if (!outline_.empty()) {
      objects[3] += fmt::format(" /First {} 0 R /Last {} 0 R", first_entry, objects.size() - 1);
    }
    objects[3] += " >>";
    objects[4] = fmt::format("<< /Title ({}) >>", title_);
    objects[5] = fmt::format("<< /Filter /Standard /V 1 /R 2 /P -4 /O <{0:064x}> /U <{0:064x}> >>",
                             0x1234567U);
    for (size_t f = 0; f < 3; ++f) {
      objects[kFonts + f] =
          fmt::format("<< /Type /Font /Subtype /Type1 /BaseFont /{} >>", f == 0   ? "Helvetica"
                                                                         : f == 1 ? "Helvetica-Bold"
                                                                                  : "Courier");
    }
    for (size_t p = 0; p < pages_.size(); ++p) {
      const size_t number = kFirstPage + 3 * p;
      objects[2] += fmt::format("{} 0 R ", number);
      objects[number] = fmt::format(
          "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {} {}] /Contents {} 0 R /Resources << /Font "
          "<< /F1 6 0 R /F2 7 0 R /F3 8 0 R >> /XObject << /Im {} 0 R >> >> >>",
          kWidth, kHeight, number + 1, number + 2);
      objects[number + 1] = fmt::format("<< /Length {} >>\nstream\n{}\nendstream",
                                        pages_[p].content.size(), pages_[p].content);
      objects[number + 2] = pages_[p].image.empty() ? "null" : pages_[p].image;
    }
    objects[2] += "] >>";
    for (size_t e = 0; e < outline_.size(); ++e) {
      const Entry& entry = outline_[e];
      objects[first_entry + e] = fmt::format(
          "<< /Title ({}) /Parent 3 0 R /Dest [{} 0 R /XYZ 0 {} 0]{} >>", entry.title,
          kFirstPage + 3 * entry.page, entry.y,
          e + 1 < outline_.size() ? fmt::format(" /Next {} 0 R", first_entry + e + 1) : "");
    }
    return Write(objects);
  }

 private:
  struct Page {
    std::string content = {};
    std::string image = {};
  };
  struct Entry {
    std::string title;
    size_t page;
    int y;
  };

  std::string Write(const std::vector<std::string>& objects) const {
    std::string file = "%PDF-1.4\n";
    std::string table = fmt::format("xref\n0 {}\n0000000000 65535 f \n", objects.size());
    for (size_t i = 1; i < objects.size(); ++i) {
      table += fmt::format("{:010} 00000 n \n", file.size());
      file += fmt::format("{} 0 obj\n{}\nendobj\n", i, objects[i]);
    }
    const size_t table_at = file.size();
    return file + table +
           fmt::format("trailer\n<< /Size {} /Root 1 0 R /Info 4 0 R{} >>\nstartxref\n{}\n%%EOF\n",
                       objects.size(), locked_ ? " /Encrypt 5 0 R /ID [<00> <00>]" : "", table_at);
  }

  std::vector<Page> pages_;
  std::vector<Entry> outline_;
  std::string title_;
  bool locked_ = false;
};

}  // namespace tome
