// Terroir's measured routes in Go: fasthttp, pgx, redigo and client_golang. Every request is counted and timed.
package main

import (
	"context"
	"log"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/valyala/fasthttp"
)

const jsonType = "application/json"

var buckets = []float64{.005, .01, .025, .05, .1, .2, .25, .3, .5, .7, 1, 2, 2.5, 3, 5, 7, 10}

var labels = []string{"method", "route", "status"}

var requests = prometheus.NewCounterVec(
	prometheus.CounterOpts{Name: "http_requests_total", Help: "Requests."}, labels)

var durations = prometheus.NewHistogramVec(
	prometheus.HistogramOpts{Name: "http_request_duration_seconds", Help: "Durations.", Buckets: buckets}, labels)

// A route's counters; those of a success are resolved once.
type route struct {
	method, template string
	handle           func(*fasthttp.RequestCtx) error
	count            prometheus.Counter
	duration         prometheus.Observer
}

func newRoute(method, template string, handle func(*fasthttp.RequestCtx) error) *route {
	return &route{method, template, handle, requests.WithLabelValues(method, template, "200"),
		durations.WithLabelValues(method, template, "200")}
}

func (r *route) serve(ctx *fasthttp.RequestCtx) {
	start := time.Now()
	if err := r.handle(ctx); err != nil {
		log.Print(err)
		ctx.SetStatusCode(500)
	}
	seconds := time.Since(start).Seconds()
	if ctx.Response.StatusCode() == 200 {
		r.count.Inc()
		r.duration.Observe(seconds)
		return
	}
	status := strconv.Itoa(ctx.Response.StatusCode())
	requests.WithLabelValues(r.method, r.template, status).Inc()
	durations.WithLabelValues(r.method, r.template, status).Observe(seconds)
}

func answer(ctx *fasthttp.RequestCtx, body []byte) {
	ctx.SetContentType(jsonType)
	ctx.SetBody(body)
}

func main() {
	prometheus.MustRegister(requests, durations)
	stores, err := connect(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	livez := newRoute("GET", "/livez", func(ctx *fasthttp.RequestCtx) error {
		answer(ctx, []byte(`{"status":"ok"}`))
		return nil
	})
	version := newRoute("GET", "/version", version)
	garden := newRoute("GET", "/api/gardens/{id}", stores.garden)
	if os.Getenv("CACHE") == "on" {
		garden = newRoute("GET", "/api/gardens/{id}", stores.cachedGarden)
	}
	readings := newRoute("POST", "/api/devices/{id}/readings", stores.addReadings)
	serve := func(ctx *fasthttp.RequestCtx) {
		path := string(ctx.Path())
		switch {
		case ctx.IsGet() && path == "/livez":
			livez.serve(ctx)
		case ctx.IsGet() && path == "/version":
			version.serve(ctx)
		case ctx.IsGet() && strings.HasPrefix(path, "/api/gardens/"):
			ctx.SetUserValue("id", path[len("/api/gardens/"):])
			garden.serve(ctx)
		case ctx.IsPost() && strings.HasPrefix(path, "/api/devices/") && strings.HasSuffix(path, "/readings"):
			ctx.SetUserValue("id", path[len("/api/devices/"):len(path)-len("/readings")])
			readings.serve(ctx)
		default:
			ctx.SetStatusCode(404)
		}
	}
	log.Fatal(fasthttp.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), serve))
}
