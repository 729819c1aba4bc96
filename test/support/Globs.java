import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.io.PrintStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** For each pattern, a line: `:` and what Hadoop's own FileSystem.globStatus finds, between tabs, or `!` and its complaint. */
public class Globs {
  public static void main(String[] args) throws Exception {
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    try (FileSystem fs = FileSystem.get(URI.create(args[0]), new Configuration())) {
      for (int i = 1; i < args.length; i++) out.println(answer(fs, args[i]));
    }
  }

  private static String answer(FileSystem fs, String pattern) {
    try {
      StringBuilder paths = new StringBuilder(":");
      FileStatus[] found = fs.globStatus(new Path(pattern));
      for (FileStatus status : found == null ? new FileStatus[0] : found) {
        paths.append(status.getPath().toUri().getPath()).append('\t');
      }
      return paths.toString();
    } catch (Exception complaint) {
      return "!" + String.valueOf(complaint.getMessage()).split("\n")[0];
    }
  }
}
