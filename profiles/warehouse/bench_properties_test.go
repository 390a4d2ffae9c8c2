package warehouse_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// propertyLayouts are the ways to store properties that were weighed.
var propertyLayouts = []struct {
	name    string
	columns string // definition
	filter  string // revenue as a number
	group   string // plan as text
	values  func(*block) map[string]any
}{
	{"string", "properties String CODEC(ZSTD(1))", "JSONExtractFloat(properties, 'revenue')", "JSONExtractString(properties, 'plan')", texts},
	{"string_lz4", "properties String CODEC(LZ4)", "JSONExtractFloat(properties, 'revenue')", "JSONExtractString(properties, 'plan')", texts},
	{
		"map", "properties Map(LowCardinality(String), String) CODEC(ZSTD(1))", "toFloat64OrZero(properties['revenue'])", "properties['plan']",
		func(b *block) map[string]any { return map[string]any{"properties": b.propertyMaps} },
	},
	{
		"string_and_map", "properties String CODEC(ZSTD(1)), property Map(LowCardinality(String), String) MATERIALIZED mapFromArrays(JSONExtractKeys(properties), arrayMap(x -> x.2, JSONExtractKeysAndValuesRaw(properties))) CODEC(ZSTD(1))",
		"toFloat64OrZero(property['revenue'])", "property['plan']", texts,
	},
	{
		"map_buckets", "properties Map(LowCardinality(String), String) CODEC(ZSTD(1))", "toFloat64OrZero(properties['revenue'])", "properties['plan']",
		func(b *block) map[string]any { return map[string]any{"properties": b.propertyMaps} },
	},
	{
		"typed_maps", "properties Map(LowCardinality(String), String) CODEC(ZSTD(1)), numbers Map(LowCardinality(String), Float64) CODEC(ZSTD(1))", "numbers['revenue']", "properties['plan']",
		func(b *block) map[string]any {
			return map[string]any{"properties": b.propertyMaps, "numbers": b.numberMaps}
		},
	},
	{"json", "properties JSON", "properties.revenue::Float64", "properties.plan::String", texts},
	{"json_zstd", "properties JSON CODEC(ZSTD(1))", "properties.revenue::Float64", "properties.plan::String", texts},
	{"json_paths_64", "properties JSON(max_dynamic_paths=64)", "properties.revenue::Float64", "properties.plan::String", texts},
	{"json_paths_8", "properties JSON(max_dynamic_paths=8)", "properties.revenue::Float64", "properties.plan::String", texts},
	{"json_paths_0", "properties JSON(max_dynamic_paths=0)", "properties.revenue::Float64", "properties.plan::String", texts},
}

func texts(b *block) map[string]any { return map[string]any{"properties": b.propertyTexts} }

// BenchmarkProperties loads the same events into a table of each layout and
// reads them: rows a second through one connection, bytes a row of the property
// columns after merging, and a filter with a group-by over one event of ten.
func BenchmarkProperties(b *testing.B) {
	for _, layout := range propertyLayouts {
		b.Run(layout.name, func(b *testing.B) {
			conn := warehousetest.NewTestDatabase(b)
			execute(b, conn, "CREATE TABLE p AS events")
			execute(b, conn, "ALTER TABLE p MODIFY SETTING min_bytes_for_wide_part = 0, non_replicated_deduplication_window = 0")
			execute(b, conn, "ALTER TABLE p DROP COLUMN properties")
			for _, c := range splitColumns(layout.columns) {
				execute(b, conn, "ALTER TABLE p ADD COLUMN "+c)
			}
			if layout.name == "map_buckets" {
				execute(b, conn, "ALTER TABLE p MODIFY SETTING map_serialization_version = 'with_buckets', map_serialization_version_for_zero_level_parts = 'with_buckets'")
			}
			r := rand.New(rand.NewPCG(1, 2))
			const size = 20_000
			rows := max(benchRows(300_000)/size, 1) * size
			var blocks []*block
			for range rows / size {
				blocks = append(blocks, makeBlock(r, size, rows/10))
			}
			for b.Loop() {
				execute(b, conn, "TRUNCATE TABLE p")
				before, start := cpu(b, conn), time.Now()
				for _, block := range blocks {
					if err := block.insert(b.Context(), conn, "p", layout.values(block)); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(rows)/time.Since(start).Seconds(), "rows/s")
				b.ReportMetric((cpu(b, conn)-before).Seconds()*1e6/float64(rows), "cpu-µs/row-inserted")
				before = cpu(b, conn)
				execute(b, conn, "OPTIMIZE TABLE p FINAL")
				b.ReportMetric((cpu(b, conn)-before).Seconds()*1e6/float64(rows), "cpu-µs/row-merged")
				b.ReportMetric(bytesOnDisk(b, conn, "p", "^(properties|property|numbers)")/float64(rows), "B/row")
				m := measure(b, conn, "SELECT "+layout.group+" AS plan, count(), sum("+layout.filter+") FROM p WHERE name = 'Order Completed' AND "+layout.filter+" > 50 GROUP BY plan")
				b.ReportMetric(m.cpu*1e9/float64(rows), "cpu-ns/row-filtered")
				m = measure(b, conn, "SELECT "+layout.group+" AS plan, count(), sum("+layout.filter+") FROM p GROUP BY plan")
				b.ReportMetric(m.cpu*1e9/float64(rows), "cpu-ns/row-all")
				m = measure(b, conn, "SELECT count() FROM p WHERE NOT ignore(*)")
				b.ReportMetric(m.cpu*1e9/float64(rows), "cpu-ns/row-whole")
			}
		})
	}
}

func splitColumns(definitions string) []string {
	var out []string
	depth, start := 0, 0
	for i, c := range definitions {
		switch {
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == ',' && depth == 0:
			out = append(out, definitions[start:i])
			start = i + 1
		}
	}
	return append(out, definitions[start:])
}
