// Runs a small part many times. usage: micro list | micro NAME ITERATIONS
//
// `list` prints each name with its iterations for counting instructions; otherwise the nanoseconds per iteration are
// printed. bench/check compares the counts with the accepted ones.
import Glibc

let arguments = CommandLine.arguments.dropFirst()
if arguments == ["list"] {
  for benchmark in Benchmark.all { print(benchmark.name, benchmark.iterations) }
} else if arguments.count == 2, let benchmark = Benchmark.all.first(where: { $0.name == arguments.first }),
  let iterations = Int(arguments.last ?? ""), iterations > 0
{
  print(benchmark.nanoseconds(iterations))
} else {
  print("usage: micro list | micro NAME ITERATIONS")
  exit(64)
}
