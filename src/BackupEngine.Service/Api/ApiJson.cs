using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace BackupEngine.Service.Api;

/// <summary>Reads and writes JSON bodies.</summary>
internal static class ApiJson
{
    private static readonly JsonWriterOptions _writerOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly JsonDocumentOptions _readerOptions = new() { AllowDuplicateProperties = false };

    /// <summary>Answers with a JSON body.</summary>
    public static async Task WriteAsync(HttpContext http, int status, Action<Utf8JsonWriter> write)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = "application/json";
        await using (Utf8JsonWriter writer = new(http.Response.BodyWriter, _writerOptions))
        {
            write(writer);
        }

        await http.Response.BodyWriter.FlushAsync(http.RequestAborted);
    }

    /// <summary>Answers without a body.</summary>
    public static Task WriteEmptyAsync(HttpContext http, int status)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = "application/json";
        return Task.CompletedTask;
    }

    public static Task WriteFaultAsync(HttpContext http, ApiFault fault)
    {
        if (fault.Status == 413)
        {
            http.Response.Headers.RetryAfter = "0";
        }

        return WriteAsync(http, fault.Status, writer =>
        {
            writer.WriteStartObject();
            writer.WriteStartObject(fault.Fault);
            writer.WriteNumber("code", fault.Status);
            writer.WriteString("message", fault.Message);
            if (fault.Status == 413)
            {
                writer.WriteString("retryAfter", "0");
            }

            writer.WriteEndObject();
            writer.WriteEndObject();
        });
    }

    /// <summary>The request's body; null when it is empty.</summary>
    /// <exception cref="ApiFault">400, 413, 415: it is no JSON, too long, or says that it is something else.</exception>
    public static async Task<JsonDocument?> ReadAsync(HttpContext http, int maxBytes)
    {
        using MemoryStream body = new();
        byte[] buffer = new byte[16 * 1024];
        int read;
        while ((read = await http.Request.Body.ReadAsync(buffer, http.RequestAborted)) > 0)
        {
            if (body.Length + read > maxBytes)
            {
                throw ApiFault.OverLimit("Request is too large.");
            }

            body.Write(buffer, 0, read);
        }

        if (body.Length == 0)
        {
            return null;
        }

        string? type = http.Request.ContentType?.Split(';', 2)[0].Trim();
        if (type is not null && !type.Equals("application/json", StringComparison.OrdinalIgnoreCase))
        {
            throw new ApiFault(415, "badMediaType", "Unsupported Content-Type");
        }

        try
        {
            JsonDocument document = JsonDocument.Parse(body.GetBuffer().AsMemory(0, (int)body.Length).ToArray(), _readerOptions);

            // Half a surrogate pair is found here, not where the text is first used.
            _ = JsonTexts.HaveNul(document.RootElement);
            return document;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw ApiFault.MalformedBody();
        }
    }
}
