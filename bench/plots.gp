# The plots of the report, out of the files that bench/run puts into plot/.
set terminal pngcairo size 900,520 font "sans,11"
set grid
set key left top

set output "benchmark-latency.png"
set title "Answer time of a callback, 64 connections, each sending as fast as it is answered"
set xlabel "percentile"
set ylabel "ms"
set logscale xy
set xtics ("50" 2, "75" 4, "90" 10, "99" 100, "99.9" 1000)
set xrange [2:1000]
plot for [c in "'nginx' 'evhttp' 'relay everysec' 'relay always' 'Fastify + XADD' 'Fastify + BullMQ'"] \
  "plot/latency ".c using 1:2 with linespoints title c

set output "benchmark-connections.png"
set title "Callbacks answered a second; the relay has stored them"
set xlabel "connections"
set ylabel "1,000/s"
unset logscale y
set xtics (16, 64, 256, 1024)
set xrange [12:1400]
set yrange [0:*]
plot for [c in "'nginx' 'relay everysec' 'relay always'"] \
  "plot/connections ".c using 1:($2/1000) with linespoints title c

set output "benchmark-tenants.png"
set title "CPU time of one event and its delivery"
set xlabel "tenants"
set ylabel "us"
set xtics (10, 1000, 100000)
set xrange [5:200000]
plot for [p in "broker worker"] "plot/tenants ".p using 1:($2/1000) with linespoints title p
