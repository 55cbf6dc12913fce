package main

// heap is a binary heap of values. A run makes tens of millions of events:
// package container/heap would allocate each.
type heap[T any, P ordered[T]] []T

type ordered[T any] interface {
	*T
	before(*T) bool
}

func (h *heap[T, P]) push(x T) {
	*h = append(*h, x)
	h.up(len(*h) - 1)
}

// pop takes the first one out; the heap must not be empty.
func (h *heap[T, P]) pop() T {
	q := *h
	first, last := q[0], len(q)-1
	x := q[last]
	q = q[:last]
	*h = q
	n := 0
	for {
		child := 2*n + 1
		if child >= last {
			break
		}
		if child+1 < last && P(&q[child+1]).before(&q[child]) {
			child++
		}
		if !P(&q[child]).before(&x) {
			break
		}
		q[n], n = q[child], child
	}
	if last > 0 {
		q[n] = x
	}
	return first
}

// up moves the n-th one to its place, after it came earlier.
func (h heap[T, P]) up(n int) {
	x := h[n]
	for n > 0 {
		parent := (n - 1) / 2
		if !P(&x).before(&h[parent]) {
			break
		}
		h[n], n = h[parent], parent
	}
	h[n] = x
}
