#include "data/column_kind.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace diffuse {
namespace {

using Values = std::vector<std::string_view>;

TEST(ColumnKind, Numbers) {
  EXPECT_EQ(kind_of({"1", "-2.5", "", "3e-4"}), ColumnKind::number);
  EXPECT_EQ(kind_of({"$1,200.50", "7 %", "€3"}), ColumnKind::number);
  EXPECT_EQ(kind_of({"1", "two"}), ColumnKind::text);
}

TEST(ColumnKind, Dates) {
  EXPECT_EQ(kind_of({"2024-01-02", "2024-03-04T10:11:12Z"}), ColumnKind::date);
  EXPECT_EQ(kind_of({"1/2/2024", "12/31/99"}), ColumnKind::date);
  EXPECT_EQ(kind_of({"12 Jan 2024", "Mon, 3 March 2025 10:00"}), ColumnKind::date);
  EXPECT_EQ(kind_of({"bus 12 to 5"}), ColumnKind::text);
}

TEST(ColumnKind, Links) {
  EXPECT_EQ(kind_of({"https://a.b/c?d=1", "http://e.f", "www.g.h"}), ColumnKind::link);
  EXPECT_EQ(kind_of({"https://a.b is a page"}), ColumnKind::text);
}

TEST(ColumnKind, IdentifiersAreDifferentInEveryRow) {
  EXPECT_EQ(kind_of({"a1", "b2", "3f-9c"}), ColumnKind::identifier);
  EXPECT_EQ(kind_of({"a1", "b2", "a1"}), ColumnKind::text);
  EXPECT_EQ(kind_of({"good", "bad"}), ColumnKind::text);
}

TEST(ColumnKind, NothingIsText) {
  EXPECT_EQ(kind_of(Values{}), ColumnKind::text);
  EXPECT_EQ(kind_of({"", " "}), ColumnKind::text);
}

}  // namespace
}  // namespace diffuse
