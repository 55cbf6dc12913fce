package app

import "github.com/tubercdn/tuber"

// span is how many seconds the graphs show.
const span = 120

// samples are the rates of the last span seconds, one a second, oldest first.
type samples struct {
	up, down []tuber.BitsPerSecond
}

func (s *samples) add(up, down tuber.BitsPerSecond) {
	s.up, s.down = push(s.up, up), push(s.down, down)
}

func push(list []tuber.BitsPerSecond, r tuber.BitsPerSecond) []tuber.BitsPerSecond {
	if len(list) >= span {
		list = append(list[:0], list[len(list)-span+1:]...)
	}
	return append(list, max(r, 0))
}

// history is what the graphs draw.
type history struct {
	all    samples
	swarms map[tuber.PublicKey]*samples
	host   samples // the origin's upload, and the bitrate of its streams
}

// add takes one view's rates. Swarms that are gone are forgotten.
func (h *history) add(v *view) {
	st := &v.status
	h.all.add(st.Upload, st.Download)
	kept := make(map[tuber.PublicKey]*samples, len(st.Swarms))
	for _, sw := range st.Swarms {
		s := h.swarms[sw.Site]
		if s == nil {
			s = &samples{}
		}
		s.add(sw.Upload, sw.Download)
		kept[sw.Site] = s
	}
	h.swarms = kept
	if v.hosting {
		h.host.add(v.host.Upload, v.host.Bitrate)
	} else {
		h.host = samples{}
	}
}

// ceiling is the top of a graph: the next of 1, 2, 5 times a power of ten above
// everything shown, at least 100 kbit/s.
func (s *samples) ceiling() tuber.BitsPerSecond {
	most := tuber.BitsPerSecond(0)
	for i := range s.up {
		most = max(most, s.up[i], s.down[i])
	}
	for top := tuber.BitsPerSecond(100e3); top < 1e15; top *= 10 {
		for _, step := range []tuber.BitsPerSecond{1, 2, 5} {
			if most <= top*step {
				return top * step
			}
		}
	}
	return most
}
