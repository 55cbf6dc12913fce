package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"

	"github.com/tubercdn/tuber/gateway"
)

// gateway runs the ways in alone, each until ctx ends.
func (p *program) gateway(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	conns, err := listenAll(p.Gateway.STUN)
	if err != nil {
		return err
	}
	defer func() {
		for _, c := range conns {
			c.Close()
		}
	}()
	ports := map[uint16]bool{}
	if p.Gateway.Map != 0 {
		ports[p.Gateway.Map] = true
	}
	var runs []func(context.Context) error
	if len(conns) > 0 {
		s, err := gateway.NewSTUN(gateway.STUNConfig{Conns: conns, Log: p.log})
		if err != nil {
			return err
		}
		runs = append(runs, s.Run)
	}
	for _, c := range conns {
		fmt.Fprintf(p.out, "Answering STUN at %s.\n", c.LocalAddr())
		if p.Gateway.UPnP {
			ports[uint16(c.LocalAddr().(*net.UDPAddr).Port)] = true
		}
	}
	for port := range ports {
		m, err := gateway.NewMapper(gateway.MapperConfig{Port: port, Log: p.log, Changed: p.mappingChanged(port)})
		if err != nil {
			return err
		}
		runs = append(runs, m.Run)
	}
	var wg sync.WaitGroup
	errs := make([]error, len(runs))
	for i, run := range runs {
		wg.Go(func() {
			if errs[i] = run(ctx); errs[i] != nil {
				cancel()
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

func listenAll(addresses []string) ([]net.PacketConn, error) {
	var conns []net.PacketConn
	for _, a := range addresses {
		c, err := net.ListenPacket("udp", a)
		if err != nil {
			for _, open := range conns {
				open.Close()
			}
			return nil, fmt.Errorf("--stun: listen at %s: %w; stop the program that has the port, or name another", a, err)
		}
		conns = append(conns, c)
	}
	return conns, nil
}

// mappingChanged says what the router did.
func (p *program) mappingChanged(port uint16) func(gateway.Mapping) {
	return func(m gateway.Mapping) {
		switch {
		case m.Phase == gateway.MappingOpen && m.Public:
			fmt.Fprintf(p.out, "UDP port %d of this machine is open to the world as %s.\n", port, m.External)
		case m.Phase == gateway.MappingOpen:
			fmt.Fprintf(p.out, "UDP port %d is mapped, but the router itself is behind another one (%s): the world cannot dial it.\n", port, m.External.Addr())
		case m.Phase == gateway.MappingFailed:
			fmt.Fprintf(p.out, "UDP port %d is not mapped: %s. It is tried again.\n", port, m.Error)
		}
	}
}
