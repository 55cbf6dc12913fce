package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/tubercdn/tuber"
	"github.com/tubercdn/tuber/internal/watch"
)

const rampEach = 100 * time.Millisecond

func (p *program) watch(ctx context.Context) error {
	c := &p.Watch
	o := watch.Options{
		URL: c.URL, Viewers: c.Viewers, For: time.Duration(c.For), After: time.Duration(c.After), Ramp: time.Duration(c.Ramp),
		Upload: tuber.BitsPerSecond(c.Upload), Check: c.Check, Insecure: c.Insecure, LAN: c.LAN, Log: p.log,
	}
	if o.Ramp == 0 {
		o.Ramp = time.Duration(c.Viewers) * rampEach
	}
	line := !c.JSON && p.terminal()
	if line {
		o.Progress = func(r watch.Result) { fmt.Fprintf(p.out, "\r\033[K%s", watchLine(r)) }
	}
	r, err := watch.Run(ctx, o)
	if line {
		fmt.Fprintln(p.out)
	}
	if err != nil {
		return err
	}
	if c.JSON {
		e := json.NewEncoder(p.out)
		e.SetIndent("", "  ")
		err = e.Encode(r)
	} else {
		err = watchTable(p.out, r)
	}
	if r.Wrong > 0 {
		err = errors.Join(err, fmt.Errorf("%s played that are not the site's", plural(r.Wrong, "segment")))
	}
	return err
}

// watchLine is how it stands, in one line.
func watchLine(r watch.Result) string {
	return fmt.Sprintf("%d of %s playing | %s | %.1f s behind live | %.0f %% from peers | %s over HTTP",
		r.Playing, plural(r.Viewers, "viewer"), plural(r.Stalls, "stall"), r.LatencyP50,
		100*r.Bytes.FromPeers(), bytesText(r.Bytes.Chunks+r.Bytes.Plain))
}

// watchTable is what was seen, at the end.
func watchTable(out io.Writer, r watch.Result) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(name, format string, a ...any) { fmt.Fprintf(w, "%s\t%s\n", name, fmt.Sprintf(format, a...)) }
	row("viewers", "%d, of which %d joined the swarm", r.Viewers, r.Joined)
	if r.NoSwarm != "" {
		row("no swarm", "%s", r.NoSwarm)
	}
	row("played", "%.1f s in %s", r.PlayTime, plural(r.Segments, "segment"))
	row("stalls", "%d, %.2f s, %.3f %% of the time", r.Stalls, r.StallTime, 100*r.StallShare())
	if r.Skipped+r.Failed > 0 {
		row("lost", "%s failed, %s out of the window", plural(r.Failed, "segment"), plural(r.Skipped, "time"))
	}
	row("behind live", "%.1f s in the middle, %.1f s at the 99th percentile", r.LatencyP50, r.LatencyP99)
	row("first frame", "%.2f s in the middle, %.2f s at the 99th percentile", r.FirstP50, r.FirstP99)
	row("from peers", "%s, %.1f %%", bytesText(r.Bytes.Peers), 100*r.Bytes.FromPeers())
	row("from the host's peer", "%s", bytesText(r.Bytes.Origin))
	row("chunks over HTTP", "%s", bytesText(r.Bytes.Chunks))
	row("plain HTTP", "%s", bytesText(r.Bytes.Plain))
	row("sent to others", "%s", bytesText(r.Bytes.Sent))
	if r.Checked > 0 {
		row("checked", "%s, %d wrong", plural(r.Checked, "segment"), r.Wrong)
	}
	return w.Flush()
}
