#include "server/config/document.h"

#include <cctype>
#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include <yaml-cpp/yaml.h>

namespace handfast::config {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::OneofDescriptor;

// "CLIENT_AUTH_MODE_" of CLIENT_AUTH_MODE_UNSPECIFIED.
std::string PrefixOf(const EnumDescriptor& type) {
  std::string prefix = type.value(0)->name();
  const size_t end = prefix.rfind("UNSPECIFIED");
  return prefix.substr(0, end == std::string::npos ? 0 : end);
}

std::string WordOf(const EnumDescriptor& type, int index) {
  return absl::AsciiStrToLower(type.value(index)->name().substr(PrefixOf(type).size()));
}

bool HoldsPem(std::string_view text) { return text.find("-----BEGIN") != std::string_view::npos; }

// No sign, no leading zero: 0600 is octal to some readers and six hundred to others.
std::optional<uint32_t> ReadNumber(std::string_view text) {
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (text.size() > 1 && text.front() == '0') return std::nullopt;
  return number;
}

void Assign(Message& message, const FieldDescriptor& field, std::string_view text,
            std::string& wrong) {
  const auto* reflection = message.GetReflection();
  const bool add = field.is_repeated();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      add ? reflection->AddString(&message, &field, std::string(text))
          : reflection->SetString(&message, &field, std::string(text));
      return;
    case FieldDescriptor::CPPTYPE_BOOL:
      if (text != "true" && text != "false") {
        wrong = absl::StrCat("must be true or false, and is ", Quote(text));
      } else {
        reflection->SetBool(&message, &field, text == "true");
      }
      return;
    case FieldDescriptor::CPPTYPE_UINT32:
      if (const std::optional<uint32_t> number = ReadNumber(text)) {
        add ? reflection->AddUInt32(&message, &field, *number)
            : reflection->SetUInt32(&message, &field, *number);
      } else {
        wrong = absl::StrCat("must be a whole number from 0 to ",
                             std::numeric_limits<uint32_t>::max(), ", and is ", Quote(text));
      }
      return;
    case FieldDescriptor::CPPTYPE_ENUM: {
      const EnumDescriptor& type = *field.enum_type();
      for (int i = 1; i < type.value_count(); ++i) {
        if (text != WordOf(type, i)) continue;
        add ? reflection->AddEnum(&message, &field, type.value(i))
            : reflection->SetEnum(&message, &field, type.value(i));
        return;
      }
      wrong = absl::StrCat("does not know ", Quote(text), Hint(text, WordsOf(type)));
      return;
    }
    default:
      wrong = "has a type that documents cannot hold";
  }
}

// One walk over a document.
class DocumentReader {
 public:
  DocumentReader(const std::string& source, Places& places, Mistakes& mistakes)
      : source_(source), places_(places), mistakes_(mistakes) {}

  void ReadMessage(const YAML::Node& node, const std::string& path, Message& message) {
    const Descriptor& type = *message.GetDescriptor();
    if (!node.IsMap()) {
      const std::string name = path.empty() ? "the document" : absl::StrCat("`", path, "`");
      return Wrong(node, absl::StrCat(name, " must be a mapping of keys to values"));
    }
    std::set<std::string> seen;
    for (const auto& entry : node) {
      const YAML::Node& key = entry.first;
      const std::string name = key.IsScalar() ? key.Scalar() : "";
      const FieldDescriptor* field = type.FindFieldByName(name);
      if (field == nullptr) {
        Wrong(key,
              absl::StrCat("unknown key ", Quote(name), Where(path), Hint(name, FieldNames(type))));
      } else if (!seen.insert(name).second) {
        Wrong(key, absl::StrCat("the key `", name, "` stands here a second time"));
      } else if (const std::string other = Excluded(message, *field); !other.empty()) {
        Wrong(key, absl::StrCat("`", name, "` and `", other, "` exclude each other"));
      } else {
        const std::string below = path.empty() ? name : absl::StrCat(path, ".", name);
        places_.Set(below, {source_, key.Mark().line + 1});
        ReadField(entry.second, below, message, *field);
      }
    }
  }

 private:
  void ReadField(const YAML::Node& node, const std::string& path, Message& message,
                 const FieldDescriptor& field) {
    if (!field.is_repeated()) return ReadValue(node, path, message, field);
    if (!node.IsSequence()) {
      return Wrong(node, absl::StrCat("`", path, "` must be a list"));
    }
    size_t index = 0;
    for (const YAML::Node& item : node) {
      const std::string below = absl::StrCat(path, "[", index++, "]");
      places_.Set(below, {source_, item.Mark().line + 1});
      ReadValue(item, below, message, field);
    }
  }

  // A field's value, or one item of its list.
  void ReadValue(const YAML::Node& node, const std::string& path, Message& message,
                 const FieldDescriptor& field) {
    const auto* reflection = message.GetReflection();
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      Message& below = field.is_repeated() ? *reflection->AddMessage(&message, &field)
                                           : *reflection->MutableMessage(&message, &field);
      return ReadMessage(node, path, below);
    }
    if (!node.IsScalar()) {
      return Wrong(node, absl::StrCat("`", path, "` must be a single value"));
    }
    const std::string& text = node.Scalar();
    if (HoldsPem(text)) {
      return Wrong(node, absl::StrCat("`", path, "` holds a PEM block: name its file instead"));
    }
    // "!" is yaml-cpp's tag of what stands in quotes: text, and never a number or a flag.
    const bool is_text = field.cpp_type() == FieldDescriptor::CPPTYPE_STRING ||
                         field.cpp_type() == FieldDescriptor::CPPTYPE_ENUM;
    std::string wrong;
    if (!is_text && node.Tag() == "!") {
      wrong = "must stand without quotes";
    } else {
      Assign(message, field, text, wrong);
    }
    if (!wrong.empty()) Wrong(node, absl::StrCat("`", path, "` ", wrong));
  }

  static std::string Where(const std::string& path) {
    return path.empty() ? "" : absl::StrCat(" in `", path, "`");
  }

  static std::vector<std::string> FieldNames(const Descriptor& type) {
    std::vector<std::string> names;
    names.reserve(static_cast<size_t>(type.field_count()));
    for (int i = 0; i < type.field_count(); ++i) names.push_back(type.field(i)->name());
    return names;
  }

  // The field of the same oneof that is set already.
  static std::string Excluded(const Message& message, const FieldDescriptor& field) {
    const OneofDescriptor* oneof = field.real_containing_oneof();
    if (oneof == nullptr) return "";
    const FieldDescriptor* set = message.GetReflection()->GetOneofFieldDescriptor(message, oneof);
    return set == nullptr ? "" : set->name();
  }

  void Wrong(const YAML::Node& node, std::string words) {
    mistakes_.Add({source_, node.Mark().line + 1}, std::move(words));
  }

  const std::string& source_;
  Places& places_;
  Mistakes& mistakes_;
};

void WriteValue(YAML::Emitter& out, const Message& message, const FieldDescriptor& field,
                int index);

void WriteMessage(YAML::Emitter& out, const Message& message) {
  const auto* reflection = message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection->ListFields(message, &fields);
  out << YAML::BeginMap;
  for (const FieldDescriptor* field : fields) {
    out << YAML::Key << field->name() << YAML::Value;
    if (!field->is_repeated()) {
      WriteValue(out, message, *field, -1);
      continue;
    }
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) out << YAML::Flow;
    out << YAML::BeginSeq;
    const int size = reflection->FieldSize(message, field);
    for (int i = 0; i < size; ++i) WriteValue(out, message, *field, i);
    out << YAML::EndSeq;
  }
  out << YAML::EndMap;
}

// `index` is -1 for a field that is no list.
void WriteValue(YAML::Emitter& out, const Message& message, const FieldDescriptor& field,
                int index) {
  const auto* reflection = message.GetReflection();
  const bool item = index >= 0;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return WriteMessage(out, item ? reflection->GetRepeatedMessage(message, &field, index)
                                    : reflection->GetMessage(message, &field));
    case FieldDescriptor::CPPTYPE_STRING:
      // In quotes: "0600" must not come back as a number.
      out << YAML::DoubleQuoted
          << (item ? reflection->GetRepeatedString(message, &field, index)
                   : reflection->GetString(message, &field));
      return;
    case FieldDescriptor::CPPTYPE_BOOL:
      out << reflection->GetBool(message, &field);
      return;
    case FieldDescriptor::CPPTYPE_UINT32:
      out << (item ? reflection->GetRepeatedUInt32(message, &field, index)
                   : reflection->GetUInt32(message, &field));
      return;
    case FieldDescriptor::CPPTYPE_ENUM:
      out << WordOf(*field.enum_type(), (item ? reflection->GetRepeatedEnum(message, &field, index)
                                              : reflection->GetEnum(message, &field))
                                            ->index());
      return;
    default:
      out << YAML::Null;
  }
}

}  // namespace

std::vector<std::string> WordsOf(const EnumDescriptor& type) {
  std::vector<std::string> words;
  for (int i = 1; i < type.value_count(); ++i) words.push_back(WordOf(type, i));
  return words;
}

std::string SetScalar(Message& message, const FieldDescriptor& field, std::string_view text) {
  if (HoldsPem(text)) return "holds a PEM block: name its file instead";
  std::string wrong;
  Assign(message, field, text, wrong);
  return wrong;
}

void ReadDocument(std::string_view text, const std::string& source, Message& message,
                  Places& places, Mistakes& mistakes) {
  places.Set("", {source, 1});
  if (text.size() > kMaxDocumentSize) {
    return mistakes.Add({source, 1},
                        absl::StrCat("the document is larger than ", kMaxDocumentSize, " bytes"));
  }
  // yaml-cpp throws; nothing of ours does.
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(std::string(text));
    if (documents.empty() || documents.front().IsNull()) {
      return mistakes.Add({source, 1}, "the document is empty");
    }
    if (documents.size() > 1) {
      return mistakes.Add({source, documents[1].Mark().line + 1},
                          "a second document begins here: there must be one");
    }
    DocumentReader(source, places, mistakes).ReadMessage(documents.front(), "", message);
  } catch (const YAML::Exception& error) {
    mistakes.Add({source, error.mark.line + 1}, absl::StrCat("this is no YAML: ", error.msg));
  }
}

std::string WriteDocument(const Message& message) {
  YAML::Emitter out;
  WriteMessage(out, message);
  return std::string(out.c_str(), out.size()) + "\n";
}

}  // namespace handfast::config
