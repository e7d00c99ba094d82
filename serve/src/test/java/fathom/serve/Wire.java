package fathom.serve;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/// A connection on which a test writes what no client would.
final class Wire implements AutoCloseable {
  private static final Pattern STATUS = Pattern.compile("HTTP/1\\.1 (\\d{3}) ");
  private final Socket socket;

  Wire(ModelServer server) throws IOException {
    socket = new Socket(server.address().getHost(), server.address().getPort());
    socket.setSoTimeout(30_000);
  }

  Wire send(String text) throws IOException {
    return send(text.getBytes(StandardCharsets.ISO_8859_1));
  }

  Wire send(byte[] bytes) throws IOException {
    socket.getOutputStream().write(bytes);
    socket.getOutputStream().flush();
    return this;
  }

  /// Returns all that comes until the server closes the connection; a reset ends it too.
  String all() throws IOException {
    var all = new ByteArrayOutputStream();
    try {
      InputStream in = socket.getInputStream();
      for (int b = in.read(); b >= 0; b = in.read()) {
        all.write(b);
      }
    } catch (SocketTimeoutException e) {
      throw e;
    } catch (IOException e) {
      // reset
    }
    return all.toString(StandardCharsets.ISO_8859_1);
  }

  /// Returns what comes until it has this text.
  String until(String text) throws IOException {
    var all = new StringBuilder();
    InputStream in = socket.getInputStream();
    while (!all.toString().contains(text)) {
      int b = in.read();
      if (b < 0) {
        break;
      }
      all.append((char) b);
    }
    return all.toString();
  }

  /// Returns the statuses of the answers in what came.
  static List<Integer> statuses(String came) {
    var all = new ArrayList<Integer>();
    STATUS.matcher(came).results().forEach(each -> all.add(Integer.parseInt(each.group(1))));
    return all;
  }

  static String head(String path, int length) {
    return "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %s\r\n".formatted(path, length);
  }

  static byte[] joined(String head, byte[] body) {
    var all = new ByteArrayOutputStream();
    all.writeBytes(head.getBytes(StandardCharsets.ISO_8859_1));
    all.writeBytes(body);
    return all.toByteArray();
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
