package host

import (
	"testing"
	"time"

	"github.com/tubercdn/tuber"
)

// lookFor has it looked once a second at the same picture.
func (l *homeLine) lookFor(now *time.Time, seconds int, sent tuber.BitsPerSecond, waits bool) {
	for range seconds {
		*now = now.Add(lineEvery)
		l.look(*now, sent, waits)
	}
}

func TestHomeLine(t *testing.T) {
	const unlimited = tuber.Unlimited
	type part struct {
		seconds int
		sent    tuber.BitsPerSecond
		waits   bool
		want    tuber.BitsPerSecond
	}
	tests := []struct {
		name  string
		parts []part
	}{
		{"nobody waits", []part{{60, 50e6, false, unlimited}}},
		{"one look says nothing", []part{{1, 2e6, true, unlimited}, {1, 2e6, false, unlimited}, {1, 2e6, true, unlimited}}},
		{"a full line", []part{{2, 2e6, true, 1.8e6}}},
		{"what left a moment ago does not count twice", []part{{7, 2e6, true, 1.8e6}}},
		{"still full", []part{{2, 2e6, true, 1.8e6}, {10, 1.5e6, true, 1.35e6}}},
		{"nothing leaves", []part{{20, 0, true, unlimited}}},
		{"hardly anything leaves for a moment", []part{{2, 10e6, true, 9e6}, {8, 1e4, true, 2.7e6}}},
		{"there is a least", []part{{2, 1e5, true, lineLeast}}},
		{"not in use", []part{{2, 2e6, true, 1.8e6}, {600, 1e6, false, 1.8e6}}},
		{"no more is tried soon", []part{{2, 2e6, true, 1.8e6}, {19, 1.8e6, false, 1.8e6}}},
		{"then it is", []part{{2, 2e6, true, 1.8e6}, {21, 1.8e6, false, 2.25e6}}},
		{"later each time that it was too much", []part{
			{2, 2e6, true, 1.8e6}, {21, 1.8e6, false, 2.25e6}, {8, 2e6, true, 1.8e6}, {36, 1.8e6, false, 1.8e6}, {4, 1.8e6, false, 2.25e6},
		}},
		{"a drop that went too far is made good", []part{{2, 10e6, true, 9e6}, {8, 1e6, true, 2.7e6}, {240, 19e6, false, unlimited}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l, now := homeLine{rate: unlimited}, time.Unix(1e9, 0)
			for n, p := range tt.parts {
				l.lookFor(&now, p.seconds, p.sent, p.waits)
				if l.rate != p.want {
					t.Fatalf("part %d: %d bit/s, want %d", n, l.rate, p.want)
				}
			}
		})
	}
}
