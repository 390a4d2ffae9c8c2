package wire

import "math"

func (o *Order) check(c *checker) {
	c.oneOf("/transaction/type", o.Type, "order", "refund", "subscription", "adjustment")
	c.required("/transaction/order_id", o.OrderID, MaxID)
	c.limit("/transaction/status", o.Status, MaxID)
	if !currency(o.Currency) {
		c.wrong("/transaction/currency", o.Currency, "must be three upper-case letters (ISO 4217)")
	}
	if o.Amount == "" {
		c.add("/transaction/amount", CodeMissing, "is required")
	}
	c.amount("/transaction/amount", string(o.Amount))
	c.amount("/transaction/tax", string(o.Tax))
	c.amount("/transaction/shipping", string(o.Shipping))
	c.amount("/transaction/discount", string(o.Discount))
	if n := len(o.Items); n > MaxItems {
		c.addf("/transaction/items", CodeTooLarge, "has %d entries; the limit is %d", n, MaxItems)
		return
	}
	for i := range o.Items {
		it := &o.Items[i]
		if len(it.ProductID) <= MaxID && len(it.Name) <= MaxText && len(it.Category) <= MaxText &&
			isAmount(string(it.Quantity)) && isAmount(string(it.Price)) && isAmount(string(it.Cost)) {
			continue // Pointers of items are only written for those at fault.
		}
		at := func(field string) string { return index("/transaction/items", i, field) }
		c.limit(at("product_id"), it.ProductID, MaxID)
		c.limit(at("name"), it.Name, MaxText)
		c.limit(at("category"), it.Category, MaxText)
		c.amount(at("quantity"), string(it.Quantity))
		c.amount(at("price"), string(it.Price))
		c.amount(at("cost"), string(it.Cost))
	}
}

func (p *Post) check(c *checker) {
	c.required("/social/network", p.Network, MaxWord)
	c.limit("/social/post_id", p.PostID, MaxID)
	c.limit("/social/thread_id", p.ThreadID, MaxID)
	c.oneOf("/social/direction", p.Direction, "", "inbound", "outbound")
	c.oneOf("/social/visibility", p.Visibility, "", "public", "private")
	c.oneOf("/social/intent", p.Intent, "", "question", "complaint", "praise", "other")
	c.oneOf("/social/author_type", p.AuthorType, "", "human", "automated")
	c.limit("/social/author", p.Author, MaxID)
	c.limit("/social/text", p.Text, MaxText)
	c.limit("/social/url", p.URL, MaxURL)
	if p.Reactions < 0 || p.Reactions > maxReactions {
		c.add("/social/reactions", CodeField, "must be a number from 0 to 2^53")
	}
	c.language("/social/language", p.Language)
	c.between("/social/sentiment", p.Sentiment, -1, 1)
}

func (f *Fix) check(c *checker) {
	if f.Lat == nil {
		c.add("/location/lat", CodeMissing, "is required")
	}
	if f.Lon == nil {
		c.add("/location/lon", CodeMissing, "is required")
	}
	c.between("/location/lat", f.Lat, -90, 90)
	c.between("/location/lon", f.Lon, -180, 180)
	c.between("/location/accuracy", &f.Accuracy, 0, maxMetres)
	c.limit("/location/venue", f.Venue, MaxID)
}

func (s *SupportContact) check(c *checker) {
	c.required("/support/case_id", s.CaseID, MaxID)
	c.required("/support/channel", s.Channel, MaxWord)
	c.oneOf("/support/direction", s.Direction, "", "inbound", "outbound")
	c.oneOf("/support/author_type", s.AuthorType, "", "human", "automated")
	c.oneOf("/support/status", s.Status, "", "open", "pending", "solved", "closed", "reopened")
	c.oneOf("/support/self_service", s.SelfService, "", "resolved", "escalated", "abandoned")
	c.limit("/support/topic", s.Topic, MaxID)
	c.limit("/support/subject", s.Subject, MaxText)
	c.limit("/support/text", s.Text, MaxText)
	c.limit("/support/agent", s.Agent, MaxID)
	c.between("/support/response_seconds", s.ResponseSeconds, 0, maxSeconds)
	c.language("/support/language", s.Language)
	c.between("/support/sentiment", s.Sentiment, -1, 1)
}

func (a *Answer) check(c *checker) {
	c.oneOf("/feedback/instrument", a.Instrument, "nps", "csat", "ces", "review", "free")
	a.checkScore(c)
	c.limit("/feedback/comment", a.Comment, MaxText)
	c.limit("/feedback/survey", a.Survey, MaxID)
	c.limit("/feedback/question", a.Question, MaxText)
	c.limit("/feedback/wave", a.Wave, MaxID)
	c.limit("/feedback/subject", a.Subject, MaxID)
	c.language("/feedback/language", a.Language)
	c.between("/feedback/sentiment", a.Sentiment, -1, 1)
}

// Scale returns the bounds of Score: those stated, else those usual for the
// instrument. Ok is false when the instrument has none and none are stated.
func (a *Answer) Scale() (low, high float64, ok bool) {
	switch a.Instrument {
	case "nps":
		low, high, ok = 0, 10, true
	case "csat", "review":
		low, high, ok = 1, 5, true
	case "ces":
		low, high, ok = 1, 7, true
	}
	ok = ok || a.ScaleMin != nil && a.ScaleMax != nil
	if a.ScaleMin != nil {
		low = *a.ScaleMin
	}
	if a.ScaleMax != nil {
		high = *a.ScaleMax
	}
	return low, high, ok
}

func (a *Answer) checkScore(c *checker) {
	low, high, ok := a.Scale()
	switch {
	case a.Instrument == "nps" && (low != 0 || high != 10):
		// Promoters and detractors are defined on 0 to 10 only.
		c.add("/feedback/scale_max", CodeField, "must be 10 and scale_min 0 for nps; use csat or free for another scale")
		return
	case ok && low >= high:
		c.add("/feedback/scale_max", CodeField, "must be greater than scale_min")
		return
	case a.Score == nil:
		if a.Instrument == "nps" || a.Instrument == "csat" || a.Instrument == "ces" {
			c.add("/feedback/score", CodeMissing, "is required for "+a.Instrument)
		} else if a.Comment == "" {
			c.add("/feedback/comment", CodeMissing, "is required when there is no score")
		}
		return
	case ok:
		c.between("/feedback/score", a.Score, low, high)
	}
	if a.Instrument == "nps" && *a.Score != math.Trunc(*a.Score) {
		c.add("/feedback/score", CodeField, "must be a whole number for nps, not one with a fraction")
	}
}

func (r *Reading) check(c *checker) {
	c.oneOf("/sensor/technology", r.Technology, "rfid", "beacon", "iot", "video")
	c.required("/sensor/device", r.Device, MaxID)
	c.limit("/sensor/zone", r.Zone, MaxID)
	c.oneOf("/sensor/phase", r.Phase, "", "enter", "dwell", "leave")
	c.between("/sensor/reading", r.Value, -math.MaxFloat64, math.MaxFloat64)
	c.limit("/sensor/unit", r.Unit, MaxWord)
	c.between("/sensor/dwell_seconds", r.DwellSeconds, 0, maxSeconds)
}

func (o *Outreach) check(c *checker) {
	c.oneOf("/contact/action", o.Action, "sent", "delivered", "opened", "clicked", "replied", "bounced",
		"complained", "unsubscribed", "suppressed")
	switch {
	case o.Channel == "":
		c.add("/contact/channel", CodeMissing, "is required")
	case !lowerWord(o.Channel):
		c.wrong("/contact/channel", o.Channel, "must be 1 to 64 of a-z, 0-9, _ and -, starting with a letter")
	}
	c.limit("/contact/campaign", o.Campaign, MaxID)
	c.limit("/contact/template", o.Template, MaxID)
	c.limit("/contact/message_id", o.MessageID, MaxID)
	c.limit("/contact/subject", o.Subject, MaxText)
	c.limit("/contact/link", o.Link, MaxURL)
	c.limit("/contact/detail", o.Detail, MaxText)
}

func (e *Entry) check(c *checker) {
	c.oneOf("/catalogue/type", e.Type, "product", "store", "venue", "action")
	c.required("/catalogue/item_id", e.ItemID, MaxID)
	c.limit("/catalogue/name", e.Name, MaxText)
	if n := len(e.Category); n > MaxCategory {
		c.addf("/catalogue/category", CodeField, "has %d levels; the limit is %d", n, MaxCategory)
	} else {
		for i, level := range e.Category {
			if len(level) > MaxID {
				c.limit(index("/catalogue/category", i, ""), level, MaxID)
			}
		}
	}
	c.limit("/catalogue/brand", e.Brand, MaxID)
	c.limit("/catalogue/variant", e.Variant, MaxID)
	if e.Currency != "" && !currency(e.Currency) {
		c.wrong("/catalogue/currency", e.Currency, "must be three upper-case letters (ISO 4217)")
	}
	c.amount("/catalogue/price", string(e.Price))
	c.amount("/catalogue/cost", string(e.Cost))
	c.limit("/catalogue/url", e.URL, MaxURL)
	c.limit("/catalogue/image", e.Image, MaxURL)
	if (e.Lat == nil) != (e.Lon == nil) {
		c.add("/catalogue/lat", CodeMissing, "and \"catalogue.lon\" stand together or not at all")
	}
	c.between("/catalogue/lat", e.Lat, -90, 90)
	c.between("/catalogue/lon", e.Lon, -180, 180)
	c.between("/catalogue/radius", &e.Radius, 0, maxMetres)
}
