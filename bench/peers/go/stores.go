package main

import (
	"context"
	"encoding/json"
	"os"
	"time"

	"github.com/gomodule/redigo/redis"
	"github.com/jackc/pgx/v4/pgxpool"
	"github.com/valyala/fasthttp"
)

const poolSize = 32

type stores struct {
	database *pgxpool.Pool
	redis    *redis.Pool
}

func connect(ctx context.Context) (*stores, error) {
	config, err := pgxpool.ParseConfig(os.Getenv("DATABASE_URL"))
	if err != nil {
		return nil, err
	}
	config.MaxConns = poolSize
	config.MinConns = poolSize
	database, err := pgxpool.ConnectConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	cache := &redis.Pool{MaxIdle: 64, MaxActive: 64, Wait: true, Dial: func() (redis.Conn, error) {
		return redis.DialURL(os.Getenv("REDIS_URL"))
	}}
	return &stores{database, cache}, nil
}

type location struct {
	Latitude  float64 `json:"latitude"`
	Longitude float64 `json:"longitude"`
}

type garden struct {
	ID               string    `json:"id"`
	OwnerID          string    `json:"ownerId"`
	Name             string    `json:"name"`
	Location         *location `json:"location"`
	AreaSquareMetres *float64  `json:"areaSquareMetres"`
	Public           bool      `json:"public"`
	CreatedAt        string    `json:"createdAt"`
	UpdatedAt        string    `json:"updatedAt"`
}

const timeFormat = "2006-01-02T15:04:05.000Z"

func (s *stores) load(id string) ([]byte, error) {
	var g garden
	var latitude, longitude *float64
	var created, updated time.Time
	err := s.database.QueryRow(context.Background(),
		`SELECT id::text, owner_id::text, name, latitude, longitude, area_square_metres, public, created_at, updated_at
		FROM gardens WHERE id = $1 AND public`, id).
		Scan(&g.ID, &g.OwnerID, &g.Name, &latitude, &longitude, &g.AreaSquareMetres, &g.Public, &created, &updated)
	if err != nil {
		return nil, err
	}
	if latitude != nil && longitude != nil {
		g.Location = &location{*latitude, *longitude}
	}
	g.CreatedAt, g.UpdatedAt = created.UTC().Format(timeFormat), updated.UTC().Format(timeFormat)
	return json.Marshal(g)
}

func (s *stores) garden(ctx *fasthttp.RequestCtx) error {
	body, err := s.load(ctx.UserValue("id").(string))
	if err == nil {
		answer(ctx, body)
	}
	return err
}

func (s *stores) cachedGarden(ctx *fasthttp.RequestCtx) error {
	id := ctx.UserValue("id").(string)
	connection := s.redis.Get()
	defer connection.Close()
	body, err := redis.Bytes(connection.Do("GET", "bench:go:"+id))
	if err == redis.ErrNil {
		if body, err = s.load(id); err == nil {
			_, err = connection.Do("SET", "bench:go:"+id, body, "EX", 60)
		}
	}
	if err == nil {
		answer(ctx, body)
	}
	return err
}

type reading struct {
	SensorType string    `json:"sensorType"`
	Value      float64   `json:"value"`
	MeasuredAt time.Time `json:"measuredAt"`
}

func (s *stores) addReadings(ctx *fasthttp.RequestCtx) error {
	var body struct{ Readings []reading }
	if err := json.Unmarshal(ctx.PostBody(), &body); err != nil {
		return err
	}
	types := make([]string, len(body.Readings))
	times := make([]time.Time, len(body.Readings))
	values := make([]float64, len(body.Readings))
	for i, r := range body.Readings {
		types[i], times[i], values[i] = r.SensorType, r.MeasuredAt, r.Value
	}
	tag, err := s.database.Exec(context.Background(),
		`INSERT INTO readings (device_id, sensor_type, measured_at, value)
		SELECT $1::uuid, * FROM unnest($2::text[], $3::timestamptz[], $4::float8[]) ON CONFLICT DO NOTHING`,
		ctx.UserValue("id").(string), types, times, values)
	if err != nil {
		return err
	}
	accepted := int(tag.RowsAffected())
	out, err := json.Marshal(map[string]interface{}{
		"accepted": accepted, "duplicates": len(types) - accepted, "rejected": []int{}})
	if err == nil {
		answer(ctx, out)
	}
	return err
}

func version(ctx *fasthttp.RequestCtx) error {
	body, err := json.Marshal(struct {
		Name     string `json:"name"`
		Version  string `json:"version"`
		Revision string `json:"revision"`
		Go       string `json:"go"`
	}{"terroir", "0.1.0", "unknown", "1.19"})
	if err == nil {
		answer(ctx, body)
	}
	return err
}
