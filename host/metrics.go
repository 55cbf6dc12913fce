package host

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/tubercdn/tuber"
)

// metrics is Prometheus' view. Names of peers and addresses are not in it.
func (h *Host) metrics() http.Handler {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), exporter{h})
	return promhttp.HandlerFor(r, promhttp.HandlerOpts{})
}

// exporter reads the host's status once for each scrape.
type exporter struct{ h *Host }

// gauge is one figure of a status.
type gauge struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	read func(h *Host, s tuber.HostStatus) float64
}

// byClass is what left of one class of the uplink.
func byClass(class tuber.Class, name string) gauge {
	desc := prometheus.NewDesc("tuber_uplink_bytes_total", "Payload by what it was sent for, the most urgent first.",
		nil, prometheus.Labels{"class": name})
	return gauge{desc, prometheus.CounterValue, func(h *Host, _ tuber.HostStatus) float64 { return float64(h.uplink.Sent(class)) }}
}

func newGauge(kind prometheus.ValueType, name, help string, read func(*Host, tuber.HostStatus) float64) gauge {
	return gauge{prometheus.NewDesc("tuber_"+name, help, nil, nil), kind, read}
}

// gauges never changes.
var gauges = []gauge{
	newGauge(prometheus.GaugeValue, "viewers", "Pages with a membership.",
		func(_ *Host, s tuber.HostStatus) float64 { return float64(s.Viewers) }),
	newGauge(prometheus.GaugeValue, "tabs", "Tabs of these pages' browser profiles that have a player.",
		func(_ *Host, s tuber.HostStatus) float64 { return float64(s.Tabs) }),
	newGauge(prometheus.GaugeValue, "boosters", "Boosters linked to the planner.",
		func(_ *Host, s tuber.HostStatus) float64 { return float64(s.Boosters) }),
	newGauge(prometheus.GaugeValue, "cells", "Cells that the planner holds its peers in.",
		func(h *Host, _ tuber.HostStatus) float64 { return float64(h.planning.cells()) }),
	newGauge(prometheus.GaugeValue, "links", "Links of the origin's own peer.",
		func(_ *Host, s tuber.HostStatus) float64 { return float64(s.Peers) }),
	newGauge(prometheus.GaugeValue, "from_peers_ratio", "Share of viewers' bytes that the host's line did not carry.",
		func(_ *Host, s tuber.HostStatus) float64 { return s.FromPeers }),
	newGauge(prometheus.GaugeValue, "upload_bits_per_second", "Upload of the host over the last seconds, everything counted.",
		func(_ *Host, s tuber.HostStatus) float64 { return float64(s.Upload) }),
	newGauge(prometheus.GaugeValue, "bitrate_bits_per_second", "Bitrate of all followed streams.",
		func(_ *Host, s tuber.HostStatus) float64 { return float64(s.Bitrate) }),
	newGauge(prometheus.GaugeValue, "short_bits_per_second", "Upload that boosters would have to add.",
		func(_ *Host, s tuber.HostStatus) float64 { return float64(s.Short) }),
	newGauge(prometheus.GaugeValue, "streams", "Streams followed.",
		func(_ *Host, s tuber.HostStatus) float64 { return float64(len(s.Contents)) }),
	newGauge(prometheus.GaugeValue, "planner_running", "1 while the planner runs.",
		func(_ *Host, s tuber.HostStatus) float64 { return truth(s.Planner) }),
	newGauge(prometheus.GaugeValue, "enabled", "0 while the kill switch is off.",
		func(h *Host, _ tuber.HostStatus) float64 { return truth(!h.off.Load()) }),
	newGauge(prometheus.CounterValue, "sent_bytes_total", "Bytes sent over listeners and the links' port.",
		func(h *Host, _ tuber.HostStatus) float64 { return float64(h.sent.Load()) }),
	newGauge(prometheus.CounterValue, "payload_bytes_total", "Of these, HTTP bodies and frames of links, without the headers of TLS, DTLS and SCTP.",
		func(h *Host, _ tuber.HostStatus) float64 { return float64(h.uplink.Total()) }),
	byClass(tuber.ClassControl, "control"),
	byClass(tuber.ClassRoot, "first"),
	byClass(tuber.ClassRepair, "repair"),
	byClass(tuber.ClassStart, "start"),
	byClass(tuber.ClassRest, "rest"),
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// Describe implements prometheus.Collector.
func (exporter) Describe(out chan<- *prometheus.Desc) {
	for _, g := range gauges {
		out <- g.desc
	}
}

// Collect implements prometheus.Collector.
func (e exporter) Collect(out chan<- prometheus.Metric) {
	s := e.h.Status()
	for _, g := range gauges {
		out <- prometheus.MustNewConstMetric(g.desc, g.kind, g.read(e.h, s))
	}
}
