using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Xml.Linq;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace BackupEngine.TestKit.S3;

/// <summary>
/// An S3 server in this process, on a loopback port, that keeps objects in memory and behaves as <see cref="Behavior"/> says. It knows what an object store needs: put, get
/// with ranges, head, list (version 2, with pages), delete, delete of several, and buckets. Signatures are not checked; the digest of a body is.
/// </summary>
public sealed class AwkwardS3Server : IAsyncDisposable
{
    private const string Xmlns = "http://s3.amazonaws.com/doc/2006-03-01/";
    private const int MaxBodyBytes = 256 << 20;

    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<string, Bucket> _buckets = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<AwkwardS3Request> _requests = new();
    private readonly ConcurrentDictionary<string, int> _counts = new(StringComparer.Ordinal);

    private AwkwardS3Server(AwkwardS3Behavior behavior)
    {
        Behavior = behavior;
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0").ConfigureKestrel(kestrel => kestrel.Limits.MaxRequestBodySize = MaxBodyBytes);
        _app = builder.Build();
        _app.Run(HandleAsync);
    }

    /// <summary>Gets or sets how the server behaves from now on.</summary>
    public AwkwardS3Behavior Behavior { get; set; }

    /// <summary>Gets the server's address.</summary>
    public Uri Endpoint => new(_app.Urls.Single());

    /// <summary>Gets all requests so far.</summary>
    public IReadOnlyList<AwkwardS3Request> Requests => [.. _requests];

    /// <summary>Starts a server.</summary>
    public static async Task<AwkwardS3Server> StartAsync(AwkwardS3Behavior? behavior = null)
    {
        var server = new AwkwardS3Server(behavior ?? new AwkwardS3Behavior());
        await server._app.StartAsync();
        return server;
    }

    /// <summary>Gets the server as tests of real servers see one.</summary>
    public S3Server ToServer() => new(Endpoint, "awkward", "awkward-secret");

    /// <summary>Gets the bytes of an object, past all behaviour; null when there is none.</summary>
    public byte[]? Find(string bucket, string key) =>
        _buckets.TryGetValue(bucket, out Bucket? found) && found.Objects.TryGetValue(key, out StoredObject? stored) ? stored.Content : null;

    /// <summary>Gets all keys of a bucket, past all behaviour.</summary>
    public IReadOnlyList<string> Keys(string bucket) =>
        _buckets.TryGetValue(bucket, out Bucket? found) ? [.. found.Objects.Keys.Order(StringComparer.Ordinal)] : [];

    /// <summary>Stops the server.</summary>
    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private async Task HandleAsync(HttpContext http)
    {
        AwkwardS3Behavior behavior = Behavior;
        string path = http.Request.Path.Value!.TrimStart('/');
        string? ifMatch = HeaderOf(http, "If-Match");
        string? ifNoneMatch = HeaderOf(http, "If-None-Match");
        int number = _counts.AddOrUpdate(http.Request.Method, 0, static (_, count) => count + 1);
        var request = new AwkwardS3Request(number, http.Request.Method, path, http.Request.QueryString.Value ?? "", ifMatch, ifNoneMatch);
        _requests.Enqueue(request);
        if (behavior.Delay > TimeSpan.Zero)
            await Task.Delay(behavior.Delay, http.RequestAborted);
        byte[] body = await ReadBodyAsync(http);
        Answer answer = await AnswerAsync(http, behavior, path, body);
        if (behavior.LosesAnswer?.Invoke(request) == true)
        {
            http.Abort();
            return;
        }

        await WriteAsync(http, answer);
    }

    private async Task<Answer> AnswerAsync(HttpContext http, AwkwardS3Behavior behavior, string path, byte[] body)
    {
        string digest = HeaderOf(http, "x-amz-content-sha256") ?? "";
        if (digest.Length == 64 && digest != Convert.ToHexStringLower(SHA256.HashData(body)))
            return Answer.Error(400, "XAmzContentSHA256Mismatch", "The body has another digest.");
        string[] parts = path.Split('/', 2);
        (string name, string key) = (parts[0], parts.Length > 1 ? parts[1] : "");
        string method = http.Request.Method;
        if (key.Length == 0 && method == "PUT")
            return _buckets.TryAdd(name, new Bucket()) ? Answer.Ok : Answer.Error(409, "BucketAlreadyOwnedByYou", "The bucket is there.");
        if (!_buckets.TryGetValue(name, out Bucket? bucket))
            return Answer.Error(404, "NoSuchBucket", "There is no such bucket.");
        if (key.Length > 0)
        {
            return method switch
            {
                "PUT" => await PutAsync(http, behavior, bucket, key, body),
                "GET" or "HEAD" => Get(http, bucket, key),
                "DELETE" => Delete(bucket, key),
                _ => Answer.Error(405, "MethodNotAllowed", method),
            };
        }

        return method switch
        {
            "HEAD" => Answer.Ok,
            "DELETE" => _buckets.TryRemove(name, out _) ? Answer.NoContent : Answer.Ok,
            "GET" => List(http, behavior, bucket),
            "POST" when http.Request.Query.ContainsKey("delete") => DeleteMany(behavior, bucket, body),
            _ => Answer.Error(405, "MethodNotAllowed", method),
        };
    }

    private static async Task<Answer> PutAsync(HttpContext http, AwkwardS3Behavior behavior, Bucket bucket, string key, byte[] body)
    {
        string? ifMatch = behavior.IgnoresIfMatch ? null : HeaderOf(http, "If-Match");
        string? ifNoneMatch = behavior.IgnoresIfNoneMatch ? null : HeaderOf(http, "If-None-Match");
        if ((ifMatch is not null && behavior.RejectsIfMatch) || (ifNoneMatch is not null && behavior.RejectsIfNoneMatch))
            return Answer.Error(501, "NotImplemented", "A header you provided implies functionality that is not implemented.");
        var stored = new StoredObject(
            body,
            Convert.ToHexStringLower(behavior.TagsDifferByPut ? Guid.NewGuid().ToByteArray() : SHA256.HashData(body)[..16]),
            DateTimeOffset.UtcNow,
            http.Request.Headers.Where(header => header.Key.StartsWith("x-amz-meta-", StringComparison.OrdinalIgnoreCase)).ToDictionary(header => header.Key.ToLowerInvariant(), header => header.Value.ToString()));
        if (behavior.ConditionsAreNotAtomic)
        {
            if (Refuse(behavior, bucket, key, ifMatch, ifNoneMatch) is { } refused)
                return refused;
            await bucket.WaitForRivalAsync(key);
            bucket.Objects[key] = stored;
            return Answer.Stored(stored);
        }

        lock (bucket)
        {
            if (Refuse(behavior, bucket, key, ifMatch, ifNoneMatch) is { } refused)
                return refused;
            bucket.Objects[key] = stored;
            return Answer.Stored(stored);
        }
    }

    private static Answer? Refuse(AwkwardS3Behavior behavior, Bucket bucket, string key, string? ifMatch, string? ifNoneMatch)
    {
        Answer failed = Answer.Error(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold");
        bool exists = bucket.Objects.TryGetValue(key, out StoredObject? there);
        if (ifNoneMatch is not null && exists)
            return failed;
        if (ifMatch is null)
            return null;
        if (behavior.RefusesEveryIfMatch)
            return failed;
        bool isQuoted = ifMatch.StartsWith('"');
        if (behavior.Tags == (isQuoted ? AwkwardTags.QuotedDropped : AwkwardTags.UnquotedDropped))
            return null;
        if (!exists)
            return behavior.IfMatchCreates ? null : Answer.Error(404, "NoSuchKey", "The specified key does not exist.");
        bool isKnownForm = behavior.Tags switch
        {
            AwkwardTags.QuotedOnly or AwkwardTags.UnquotedDropped => isQuoted,
            AwkwardTags.UnquotedOnly or AwkwardTags.QuotedDropped => !isQuoted,
            _ => true,
        };
        return isKnownForm && ifMatch.Trim('"') == there!.Tag ? null : failed;
    }

    private static Answer Get(HttpContext http, Bucket bucket, string key)
    {
        if (!bucket.Objects.TryGetValue(key, out StoredObject? stored))
            return Answer.Error(404, "NoSuchKey", "The specified key does not exist.");
        string? range = HeaderOf(http, "Range");
        if (range is null || http.Request.Method == "HEAD")
            return Answer.Content(200, stored, stored.Content, null);
        string[] bounds = range["bytes=".Length..].Split('-');
        long from = long.Parse(bounds[0], CultureInfo.InvariantCulture);
        if (from >= stored.Content.Length)
            return Answer.Error(416, "InvalidRange", "The requested range is not satisfiable");
        long last = Math.Min(bounds[1].Length == 0 ? long.MaxValue : long.Parse(bounds[1], CultureInfo.InvariantCulture), stored.Content.Length - 1);
        return Answer.Content(206, stored, stored.Content[(int)from..(int)(last + 1)], string.Create(CultureInfo.InvariantCulture, $"bytes {from}-{last}/{stored.Content.Length}"));
    }

    private static Answer Delete(Bucket bucket, string key)
    {
        lock (bucket)
            bucket.Objects.TryRemove(key, out _);
        return Answer.NoContent;
    }

    private static Answer DeleteMany(AwkwardS3Behavior behavior, Bucket bucket, byte[] body)
    {
        if (behavior.RejectsBatchDelete)
            return Answer.Error(501, "NotImplemented", "Multi-object delete is not implemented.");
        XElement root = XDocument.Parse(Encoding.UTF8.GetString(body)).Root!;
        foreach (XElement key in root.Descendants().Where(element => element.Name.LocalName == "Key"))
            Delete(bucket, key.Value);
        return Answer.Xml(new XElement(XName.Get("DeleteResult", Xmlns)));
    }

    private static Answer List(HttpContext http, AwkwardS3Behavior behavior, Bucket bucket)
    {
        string prefix = http.Request.Query["prefix"].ToString();
        string token = http.Request.Query["continuation-token"].ToString();
        int wanted = int.TryParse(http.Request.Query["max-keys"], NumberStyles.None, CultureInfo.InvariantCulture, out int maxKeys) ? maxKeys : 1000;
        if (behavior.ListsEmptyPagesForever)
            return ListResult([], prefix, Guid.NewGuid().ToString("N"));

        // A token is where the page before ended, and whether an empty page has been sent since.
        bool hadEmpty = token.StartsWith('+');
        string after = token.Length == 0 ? "" : Encoding.UTF8.GetString(Convert.FromHexString(token[1..]));
        if (behavior.ListsEmptyPagesBetween && !hadEmpty)
            return ListResult([], prefix, "+" + Convert.ToHexString(Encoding.UTF8.GetBytes(after)));
        KeyValuePair<string, StoredObject>[] rest = [.. bucket.Objects
            .Where(stored => (behavior.ListsOtherKeys || stored.Key.StartsWith(prefix, StringComparison.Ordinal)) && string.CompareOrdinal(stored.Key, after) > 0)
            .OrderBy(stored => stored.Key, StringComparer.Ordinal)];
        KeyValuePair<string, StoredObject>[] page = [.. rest.Take(Math.Min(wanted, behavior.MaxPageObjects))];
        string? next = page.Length < rest.Length ? "-" + Convert.ToHexString(Encoding.UTF8.GetBytes(page[^1].Key)) : null;
        return ListResult(page, prefix, behavior.RepeatsContinuationToken ? "-" : next);
    }

    private static Answer ListResult(KeyValuePair<string, StoredObject>[] page, string prefix, string? next)
    {
        XNamespace xmlns = Xmlns;
        return Answer.Xml(new XElement(
            xmlns + "ListBucketResult",
            new XElement(xmlns + "Prefix", prefix),
            new XElement(xmlns + "KeyCount", page.Length),
            new XElement(xmlns + "MaxKeys", 1000),
            new XElement(xmlns + "IsTruncated", next is not null ? "true" : "false"),
            next is null ? null : new XElement(xmlns + "NextContinuationToken", next),
            page.Select(stored => new XElement(
                xmlns + "Contents",
                new XElement(xmlns + "Key", stored.Key),
                new XElement(xmlns + "LastModified", stored.Value.LastModified.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture)),
                new XElement(xmlns + "ETag", $"\"{stored.Value.Tag}\""),
                new XElement(xmlns + "Size", stored.Value.Content.Length),
                new XElement(xmlns + "StorageClass", "STANDARD")))));
    }

    private static async Task<byte[]> ReadBodyAsync(HttpContext http)
    {
        using var body = new MemoryStream();
        await http.Request.Body.CopyToAsync(body, http.RequestAborted);
        return body.ToArray();
    }

    private static async Task WriteAsync(HttpContext http, Answer answer)
    {
        http.Response.StatusCode = answer.Status;
        foreach ((string name, string value) in answer.Headers)
            http.Response.Headers[name] = value;
        if (answer.Status == 204)
            return;
        http.Response.ContentLength = answer.Body.Length;
        if (http.Request.Method != "HEAD")
            await http.Response.Body.WriteAsync(answer.Body, http.RequestAborted);
    }

    private static string? HeaderOf(HttpContext http, string name) => http.Request.Headers.TryGetValue(name, out Microsoft.Extensions.Primitives.StringValues value) ? value.ToString() : null;

    private sealed class Bucket
    {
        private static readonly TimeSpan _rivalPatience = TimeSpan.FromSeconds(3);

        private readonly ConcurrentDictionary<string, TaskCompletionSource> _waiting = new(StringComparer.Ordinal);

        public ConcurrentDictionary<string, StoredObject> Objects { get; } = new(StringComparer.Ordinal);

        /// <summary>Holds a put whose condition was checked until another put of the key has come as far, or none does for a while.</summary>
        public async Task WaitForRivalAsync(string key)
        {
            if (_waiting.TryRemove(key, out TaskCompletionSource? rival))
            {
                rival.TrySetResult();
                return;
            }

            var own = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting[key] = own;
            await Task.WhenAny(own.Task, Task.Delay(_rivalPatience));
            _waiting.TryRemove(new KeyValuePair<string, TaskCompletionSource>(key, own));
        }
    }

    private sealed record StoredObject(byte[] Content, string Tag, DateTimeOffset LastModified, IReadOnlyDictionary<string, string> Metadata);

    private sealed record Answer(int Status, byte[] Body, IReadOnlyDictionary<string, string> Headers)
    {
        public static Answer Ok { get; } = new(200, [], new Dictionary<string, string>());

        public static Answer NoContent { get; } = new(204, [], new Dictionary<string, string>());

        public static Answer Stored(StoredObject stored) => new(200, [], new Dictionary<string, string> { ["ETag"] = $"\"{stored.Tag}\"" });

        public static Answer Xml(XElement document) =>
            new(200, Encoding.UTF8.GetBytes("<?xml version=\"1.0\" encoding=\"UTF-8\"?>" + document), new Dictionary<string, string> { ["Content-Type"] = "application/xml" });

        public static Answer Error(int status, string code, string message) => Xml(new XElement("Error", new XElement("Code", code), new XElement("Message", message))) with { Status = status };

        public static Answer Content(int status, StoredObject stored, byte[] body, string? range)
        {
            Dictionary<string, string> headers = new(stored.Metadata)
            {
                ["ETag"] = $"\"{stored.Tag}\"",
                ["Last-Modified"] = stored.LastModified.ToString("R", CultureInfo.InvariantCulture),
                ["Content-Type"] = "binary/octet-stream",
                ["Accept-Ranges"] = "bytes",
            };
            if (range is not null)
                headers["Content-Range"] = range;
            return new Answer(status, body, headers);
        }
    }
}
