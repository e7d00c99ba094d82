package fathom.serve;

import fathom.io.Shown;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.multipart.DefaultHttpDataFactory;
import io.netty.handler.codec.http.multipart.FileUpload;
import io.netty.handler.codec.http.multipart.HttpPostMultipartRequestDecoder;
import io.netty.handler.codec.http.multipart.InterfaceHttpData;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// A file that a request brings: its body, or a part of it.
///
/// @param name what the client calls it, safe to show
record Upload(String name, byte[] content) {
  /// What a file is called that is the whole body.
  private static final String BODY = "body";

  /// The most bytes of a part's head.
  private static final int HEAD = 1 << 16;

  /// Returns the files in the request. Throws [Reply.RefusedException] for a form that cannot be
  /// read, has no files, or more parts than `most`.
  static List<Upload> all(Request request, int most) {
    String type = request.header("Content-Type");
    return type != null && type.toLowerCase(Locale.ROOT).startsWith("multipart/")
        ? parts(request.body(), type, most)
        : List.of(new Upload(BODY, request.body()));
  }

  private static List<Upload> parts(byte[] body, String type, int most) {
    var whole =
        new DefaultFullHttpRequest(
            HttpVersion.HTTP_1_1, HttpMethod.POST, "/", Unpooled.wrappedBuffer(body));
    whole.headers().set(HttpHeaderNames.CONTENT_TYPE, type);
    var files = new ArrayList<Upload>();
    HttpPostMultipartRequestDecoder form = null;
    try {
      form =
          new HttpPostMultipartRequestDecoder(
              new DefaultHttpDataFactory(false), whole, StandardCharsets.UTF_8, most + 1, HEAD);
      List<InterfaceHttpData> all = form.getBodyHttpDatas();
      for (InterfaceHttpData part : all) {
        if (part instanceof FileUpload file) {
          String name = file.getFilename().isBlank() ? file.getName() : file.getFilename();
          files.add(new Upload(Shown.message(name), file.get()));
        }
      }
    } catch (IOException | RuntimeException e) { // what is malformed makes the reader throw any
      throw Reply.bad("the form cannot be read: " + e.getMessage());
    } finally {
      if (form != null) {
        form.destroy();
      }
    }
    if (files.isEmpty()) {
      throw Reply.bad("a form has an image at least, but this one has no file; send it as a file");
    }
    return files;
  }
}
