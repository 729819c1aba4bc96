import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** MakeFiles URI DIRECTORY COUNT: empty files part-00000, part-00001, … over RPC, some thousand a second. */
class MakeFiles {
  public static void main(String[] args) throws Exception {
    var configuration = new Configuration();
    configuration.set("fs.defaultFS", args[0]);
    var fs = FileSystem.get(configuration);
    var threads = Executors.newFixedThreadPool(16);
    var made = IntStream.range(0, Integer.parseInt(args[2]))
        .mapToObj(i -> threads.submit(() -> {
          fs.create(new Path(args[1], String.format("part-%05d", i))).close();
          return null;
        }))
        .toList();
    for (var file : made) file.get();
    threads.shutdown();
    threads.awaitTermination(1, TimeUnit.MINUTES);
  }
}
