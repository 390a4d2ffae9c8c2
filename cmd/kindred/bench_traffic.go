package main

import (
	"cmp"
	"fmt"
	"math/bits"
	"strconv"
	"time"
)

// traffic makes the events of the benchmarks: shop visitors who look at
// products, each with a browser id of their own, every fifth of them now and
// then logged in. Events are about 750 bytes, as the clients of Segment send
// them. Equal numbers give equal events.
type traffic struct {
	people uint64
	begin  time.Time
	source string
	event  string // the name in batch calls, "" for "Product Viewed"
}

// mix spreads consecutive numbers (the finaliser of SplitMix64).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func (t traffic) person(n uint64) uint64 {
	high, _ := bits.Mul64(mix(n), t.people)
	return high
}

func (t traffic) loggedIn(n, person uint64) bool { return person%5 == 0 && mix(n^0xabcdef)%4 == 0 }

// anonymousID is a person's browser id, shaped like a UUID.
func (t traffic) anonymousID(dst []byte, person uint64) []byte {
	a, b := mix(person), mix(person^0x5555)
	return fmt.Appendf(dst, "%08x-%04x-4%03x-8%03x-%012x", uint32(a), uint16(a>>32), uint16(a>>48)&0xfff, uint16(b)&0xfff, b>>16)
}

// messageID is the id of event n.
func (t traffic) messageID(dst []byte, n uint64) []byte {
	dst = append(dst, t.source...)
	dst = append(dst, '-')
	return strconv.AppendUint(dst, n, 36)
}

func (t traffic) instant(dst []byte, n uint64) []byte {
	return t.begin.Add(time.Duration(n)*time.Millisecond/4).UTC().AppendFormat(dst, "2006-01-02T15:04:05.000Z")
}

const products = 4000

// details appends the properties and the context that both forms share.
func (t traffic) details(dst []byte, n uint64) []byte {
	p := mix(n^0x77) % products
	dst = fmt.Appendf(dst, `"properties":{"product_id":"P%05d","sku":"SKU-%05d","category":"Home & Garden","name":"Hanging heart t-light holder %d","brand":"Lumen","variant":"white","price":%d.%02d,"quantity":%d,"currency":"EUR","position":%d,"coupon":""},`,
		p, p, p, 1+p%90, p%100, 1+n%3, n%24)
	return fmt.Appendf(dst, `"context":{"page":{"url":"https://shop.example/products/p%05d","referrer":"https://shop.example/","title":"Hanging heart"},"locale":"en-GB","timezone":"Europe/Lisbon","library":{"name":"analytics.js","version":"npm:next-1.84.3"},"userAgent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/126.0","sessionId":%d}`, p, n/7)
}

// native appends event n as it stands on a topic.
func (t traffic) native(dst []byte, n uint64) []byte {
	person := t.person(n)
	dst = append(dst, `{"id":"`...)
	dst = t.messageID(dst, n)
	dst = append(dst, `","name":"Product Viewed","type":"track","source":"`...)
	dst = append(dst, t.source...)
	dst = append(dst, `","time":"`...)
	dst = t.instant(dst, n)
	dst = append(dst, `","identifiers":[{"namespace":"anonymous_id","value":"`...)
	dst = t.anonymousID(dst, person)
	dst = append(dst, `"}`...)
	if t.loggedIn(n, person) {
		dst = fmt.Appendf(dst, `,{"namespace":"user_id","value":"u%d"}`, person)
	}
	dst = append(dst, `],`...)
	dst = t.details(dst, n)
	return append(dst, '}')
}

// segment appends event n as an item of a batch call.
func (t traffic) segment(dst []byte, n uint64) []byte {
	person := t.person(n)
	dst = append(dst, `{"type":"track","messageId":"`...)
	dst = t.messageID(dst, n)
	dst = append(dst, `","event":"`...)
	dst = append(dst, cmp.Or(t.event, "Product Viewed")...)
	dst = append(dst, `","timestamp":"`...)
	dst = t.instant(dst, n)
	dst = append(dst, `","anonymousId":"`...)
	dst = t.anonymousID(dst, person)
	dst = append(dst, '"')
	if t.loggedIn(n, person) {
		dst = fmt.Appendf(dst, `,"userId":"u%d"`, person)
	}
	dst = append(dst, ',')
	dst = t.details(dst, n)
	return append(dst, '}')
}
