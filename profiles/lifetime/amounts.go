package lifetime

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mathext"
)

// spendTable is the data of a fit of spend: the mean amounts m of the customers
// with spend, in units of their mean, scale, by the number of days x. What depends
// on x alone is then taken once per x, and the model's m^(px) is a sum of logarithms
// that no parameter changes.
type spendTable struct {
	xs []spendDays // in order of x
	// n customers, of whom repeaters bought again.
	n, repeaters int
	scale        float64
	excluded     map[Reason]int // customers
}

// spendDays are the customers with x days that count.
type spendDays struct {
	x, count float64
	logs     float64 // sum of ln m
	// totals are x m of those whose m no other customer has, in order, shared those
	// of the others, each once and with the number of customers.
	totals, shared, counts []float64
}

// newSpendTable groups the customers with spend.
func newSpendTable(customers []Customer, kind SpendKind) *spendTable {
	t := &spendTable{excluded: map[Reason]int{}}
	byX := map[int][]float64{}
	for i := range customers {
		c := &customers[i]
		x, m := kind.amounts(*c)
		reason := c.Check()
		switch {
		case reason != "":
		case x == 0:
			reason = NoRepeat
		case !(m > 0):
			reason = NoAmount
		}
		if reason != "" {
			t.excluded[reason]++
			continue
		}
		byX[x] = append(byX[x], m)
		t.n++
		t.repeaters += min(1, c.Frequency)
	}
	var means [][]float64
	for x := range byX {
		t.xs = append(t.xs, spendDays{x: float64(x), count: float64(len(byX[x]))})
	}
	slices.SortFunc(t.xs, func(a, b spendDays) int { return sign(a.x - b.x) })
	for _, d := range t.xs {
		means = append(means, byX[int(d.x)])
	}
	spread(len(means), func(i int) { slices.Sort(means[i]) })
	for _, ms := range means {
		for _, m := range ms {
			t.scale += m / float64(t.n)
		}
	}
	spread(len(means), func(i int) { t.xs[i].fill(means[i], t.scale) })
	return t
}

// fill takes over sorted mean amounts.
func (d *spendDays) fill(means []float64, scale float64) {
	for i := 0; i < len(means); {
		same := i + 1
		for same < len(means) && means[same] == means[i] {
			same++
		}
		m, n := means[i]/scale, float64(same-i)
		d.logs += n * math.Log(m)
		if same == i+1 {
			d.totals = append(d.totals, d.x*m)
		} else {
			d.shared, d.counts = append(d.shared, d.x*m), append(d.counts, n)
		}
		i = same
	}
}

// rates are sums over customers of ln(gamma + x m) and of 1/(gamma + x m).
type rates struct{ logs, inverse float64 }

// likelihood is the log likelihood over ln p, ln q, ln gamma.
func (t *spendTable) likelihood() objective {
	sums := t.parts()
	return func(theta, grad []float64) float64 {
		p, q, gamma := math.Exp(theta[0]), math.Exp(theta[1]), math.Exp(theta[2])
		lq, psiQ := lgamma(q), mathext.Digamma(q)
		spread(len(sums), func(i int) { sums[i].add(gamma) })
		var value, dp, dq, dg float64
		part := 0
		for i := range t.xs {
			d := &t.xs[i]
			var r rates
			for ; part < len(sums) && sums[part].days == d; part++ {
				r.logs += sums[part].logs
				r.inverse += sums[part].inverse
			}
			px, lx := p*d.x, math.Log(d.x)
			value += d.count*(lgamma(px+q)-lgamma(px)-lq+px*lx+q*theta[2]) + (px-1)*d.logs - (px+q)*r.logs
			dp += d.x * (d.count*(mathext.Digamma(px+q)-mathext.Digamma(px)+lx) + d.logs - r.logs)
			dq += d.count*(mathext.Digamma(px+q)-psiQ+theta[2]) - r.logs
			dg += d.count*q/gamma - (px+q)*r.inverse
		}
		grad[0], grad[1], grad[2] = dp*p, dq*q, dg*gamma
		return value
	}
}

// ratesPart is a part of the customers of an x, and its sums.
type ratesPart struct {
	days     *spendDays
	from, to int
	shared   bool
	rates
}

// parts lists the parts of all customers, in order of x.
func (t *spendTable) parts() (out []ratesPart) {
	for i := range t.xs {
		d := &t.xs[i]
		for from := 0; from < len(d.totals); from += partSize {
			out = append(out, ratesPart{days: d, from: from, to: min(len(d.totals), from+partSize)})
		}
		for from := 0; from < len(d.shared); from += partSize {
			out = append(out, ratesPart{days: d, from: from, to: min(len(d.shared), from+partSize), shared: true})
		}
	}
	return out
}

// Of eight rates within these bounds no product leaves a float64.
const leastRate, mostRate = 1e-30, 1e30

// add computes the sums at a gamma.
func (p *ratesPart) add(gamma float64) {
	p.rates = rates{}
	if p.shared {
		for i := p.from; i < p.to; i++ {
			rate := gamma + p.days.shared[i]
			p.logs += p.days.counts[i] * math.Log(rate)
			p.inverse += p.days.counts[i] / rate
		}
		return
	}
	totals := p.days.totals[p.from:p.to]
	if gamma+totals[0] > leastRate && gamma+totals[len(totals)-1] < mostRate {
		totals = p.eights(gamma, totals)
	}
	for _, v := range totals {
		p.logs += math.Log(gamma + v)
		p.inverse += 1 / (gamma + v)
	}
}

// eights takes one logarithm and one division for eight rates, and returns those
// that are left.
func (p *ratesPart) eights(gamma float64, totals []float64) []float64 {
	logs, inverse := 0.0, 0.0
	for ; len(totals) >= 8; totals = totals[8:] {
		v := (*[8]float64)(totals)
		a, b, c, d := gamma+v[0], gamma+v[1], gamma+v[2], gamma+v[3]
		e, f, g, h := gamma+v[4], gamma+v[5], gamma+v[6], gamma+v[7]
		ab, cd, ef, gh := a*b, c*d, e*f, g*h
		first, second := ab*cd, ef*gh
		// 1/a + 1/b is (a+b)/(ab), and so on; every term is positive.
		all := first * second
		logs += math.Log(all)
		inverse += (((a+b)*cd+(c+d)*ab)*second + ((e+f)*gh+(g+h)*ef)*first) / all
	}
	p.logs, p.inverse = logs, inverse
	return totals
}

// moments returns the mean of m and its correlation with x.
func (t *spendTable) moments() (mean, correlation float64) {
	var sx, sm float64
	each := func(f func(x, m, n float64)) {
		for i := range t.xs {
			d := &t.xs[i]
			for _, total := range d.totals {
				f(d.x, total/d.x, 1)
			}
			for k, total := range d.shared {
				f(d.x, total/d.x, d.counts[k])
			}
		}
	}
	n := float64(t.n)
	each(func(x, m, count float64) { sx, sm = sx+count*x, sm+count*m })
	var xx, mm, xm float64
	each(func(x, m, count float64) {
		dx, dm := x-sx/n, m-sm/n
		xx, mm, xm = xx+count*dx*dx, mm+count*dm*dm, xm+count*dx*dm
	})
	if xx > 0 && mm > 0 {
		correlation = xm / math.Sqrt(xx*mm)
	}
	return sm / n, correlation
}
