#include "tests/badpeer/script.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "tls/wire/messages.h"

namespace handfast::tls::badpeer {
namespace {

std::ptrdiff_t Offset(size_t index) { return static_cast<std::ptrdiff_t>(index); }

std::string At(const std::string& what, Place place) {
  return what + "(" + std::to_string(place.flight) + "." + std::to_string(place.record) + ")";
}

[[noreturn]] void NothingThere(const std::string& what) {
  std::fprintf(stderr, "%s: there is nothing to edit\n", what.c_str());
  std::abort();
}

// An edit of the flight at `place`, where `needed` records must stand from there on.
Edit Make(const std::string& name, Place place, size_t needed,
          const std::function<void(Flight&, Flight::iterator)>& apply) {
  std::string what = At(name, place);
  return {what, place.flight, [what, place, needed, apply](Flight& flight) {
            if (place.record + needed > flight.size()) NothingThere(what);
            apply(flight, flight.begin() + Offset(place.record));
          }};
}

}  // namespace

Edit Drop(Place place) {
  return Make("Drop", place, 1, [](Flight& flight, auto at) { flight.erase(at); });
}

Edit Swap(Place place) {
  return Make("Swap", place, 2, [](Flight&, auto at) { std::iter_swap(at, at + 1); });
}

Edit Duplicate(Place place) {
  return Make("Duplicate", place, 1, [](Flight& flight, auto at) {
    const Outgoing again = *at;
    flight.insert(at, again);
  });
}

Edit InsertRecord(Place place, const Outgoing& record, size_t times) {
  const std::string what =
      "Insert" + std::to_string(times) + "x" + Name(record.type) + ":" +
      ToHex(ByteView(record.content).first(std::min<size_t>(record.content.size(), 1))) + "@" +
      std::to_string(record.epoch);
  return Make(what, place, 0,
              [record, times](Flight& flight, auto at) { flight.insert(at, times, record); });
}

Edit Split(Place place, const std::vector<size_t>& sizes) {
  return Make("Split", place, 1, [sizes](Flight& flight, auto at) {
    const Outgoing whole = *at;
    Flight pieces;
    ByteView left = whole.content;
    const auto add = [&](ByteView piece) {
      pieces.push_back(whole);
      pieces.back().content = Copy(piece);
    };
    for (size_t size : sizes) {
      if (left.empty() && size > 0) break;
      const size_t taken = std::min(size, left.size());
      add(left.first(taken));
      left = left.subspan(taken);
    }
    if (!left.empty()) add(left);
    at = flight.erase(at);
    flight.insert(at, pieces.begin(), pieces.end());
  });
}

Edit SplitAll(size_t flight) {
  return {"SplitAll", flight, [](Flight& records) {
            Flight cut;
            for (const Outgoing& record : records) {
              if (record.type != ContentType::kHandshake) {
                cut.push_back(record);
                continue;
              }
              for (const uint8_t byte : record.content) {
                cut.push_back(record);
                cut.back().content = {byte};
              }
            }
            records = std::move(cut);
          }};
}

Edit Pack(size_t flight) {
  return {"Pack", flight, [](Flight& records) {
            Flight packed;
            for (Outgoing& record : records) {
              const bool fits = !packed.empty() && packed.back().type == ContentType::kHandshake &&
                                record.type == ContentType::kHandshake &&
                                packed.back().epoch == record.epoch;
              if (fits) {
                Append(packed.back().content, record.content);
              } else {
                packed.push_back(std::move(record));
              }
            }
            records = std::move(packed);
          }};
}

Edit Mutate(Place place, const std::string& what, const std::function<void(Outgoing&)>& edit) {
  return Make(what, place, 1, [edit](Flight&, auto at) { edit(*at); });
}

Edit WrongEpoch(Place place, size_t epoch) {
  return Mutate(place, "Epoch" + std::to_string(epoch),
                [epoch](Outgoing& record) { record.epoch = epoch; });
}

Edit Pad(Place place, size_t zeros) {
  return Mutate(place, "Pad" + std::to_string(zeros),
                [zeros](Outgoing& record) { record.padding = zeros; });
}

Edit OnWire(Place place, const std::function<void(Bytes&)>& edit) {
  return Mutate(place, "OnWire", [edit](Outgoing& record) { record.on_wire = edit; });
}

Edit Replace(Place place, const Bytes& content) {
  return Mutate(place, "Replace", [content](Outgoing& record) { record.content = content; });
}

Edit FlipBit(Place place, size_t bit) {
  const std::string what = "FlipBit" + std::to_string(bit);
  return Mutate(place, what, [what, bit](Outgoing& record) {
    if (bit / 8 >= record.content.size()) NothingThere(what);
    record.content[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
  });
}

Edit SetLength(Place place, const test::LengthField& field, uint64_t value) {
  const std::string what = "SetLength@" + std::to_string(field.offset) + "/" +
                           std::to_string(field.width) + "=" + std::to_string(value);
  return Mutate(place, what, [what, field, value](Outgoing& record) {
    if (field.offset + field.width > record.content.size()) NothingThere(what);
    record.content = test::WithLength(std::move(record.content), field, value);
  });
}

void FixHeader(Bytes& message) {
  const size_t length = message.size() - kHandshakeHeaderSize;
  message = test::WithLength(std::move(message), {1, 3}, length);
}

bool IsMessage(const Outgoing& record, HandshakeType type) {
  return record.type == ContentType::kHandshake && !record.content.empty() &&
         record.content[0] == static_cast<uint8_t>(type);
}

Place Find(const std::vector<Flight>& flights, HandshakeType type) {
  for (size_t flight = 0; flight < flights.size(); ++flight) {
    for (size_t record = 0; record < flights[flight].size(); ++record) {
      if (IsMessage(flights[flight][record], type)) return {flight, record};
    }
  }
  NothingThere("Find(" + Name(type) + ")");
}

std::string What(const Script& script) {
  std::string what;
  for (const Edit& edit : script) what += (what.empty() ? "" : " ") + edit.what;
  return what;
}

}  // namespace handfast::tls::badpeer
