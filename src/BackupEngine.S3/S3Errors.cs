using System.Net;
using System.Security.Authentication;
using System.Xml;
using System.Xml.Linq;
using Amazon.Runtime;
using BackupEngine.ObjectStores;

namespace BackupEngine.S3;

/// <summary>Turns what servers and connections say into <see cref="ObjectStoreException"/>s.</summary>
internal sealed class S3Errors(string storeName)
{
    private const int MaxWords = 300;

    public string StoreName => storeName;

    /// <summary>The exceptions by which HTTP and the SDK say that there was no usable answer.</summary>
    public static bool Covers(Exception e) => e is HttpRequestException or IOException or TimeoutException or OperationCanceledException or AmazonClientException or AmazonServiceException;

    /// <summary>Whether no connection was made at all.</summary>
    public static bool IsUnreachable(ObjectStoreException e) =>
        Find<HttpRequestException>(e)?.HttpRequestError is HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError;

    /// <summary>The server refused.</summary>
    public ObjectStoreException Answer(string? key, string action, HttpStatusCode status, string? code, string? words, Exception? inner = null)
    {
        string said = code is null or "" ? status.ToString() : code;
        string message = words is null or "" || words == said ? "" : ": " + OneLine(words);
        return new ObjectStoreException(Classify((int)status, said), key, $"{Start(key, action)}: {(int)status} {said}{message}", inner);
    }

    /// <summary>There was no answer, or not all of one.</summary>
    public ObjectStoreException NoAnswer(string? key, string action, Exception e)
    {
        string words = OneLine((Find<HttpRequestException>(e) ?? e).Message);
        if (e is OperationCanceledException)
            words = "no answer in time";

        // What the SDK throws without an answer and without a cause in the network is about credentials or settings.
        bool network = Find<HttpRequestException>(e) is not null || e is not AmazonClientException || Find<IOException>(e) is not null;
        ObjectStoreError error = Find<AuthenticationException>(e) is not null ? ObjectStoreError.Failed
            : network ? ObjectStoreError.Unavailable
            : ObjectStoreError.AccessDenied;
        return new ObjectStoreException(error, key, $"{Start(key, action)}: {words}", e);
    }

    public ObjectStoreException NotFound(string key, string action) =>
        new(ObjectStoreError.NotFound, key, $"{Start(key, action)}: there is no such object");

    public ObjectStoreException Changed(string key, Exception? inner) =>
        new(ObjectStoreError.Changed, key, $"{Start(key, "store")}: what it was to replace is not there any more", inner);

    /// <summary>Reads the error document of an answer.</summary>
    public static (string? Code, string? Words) Parse(string body)
    {
        try
        {
            XElement? error = XDocument.Parse(body).Root;
            return (error?.Elements().FirstOrDefault(e => e.Name.LocalName == "Code")?.Value, error?.Elements().FirstOrDefault(e => e.Name.LocalName == "Message")?.Value);
        }
        catch (XmlException)
        {
            // A proxy's page, or nothing: the status has to do.
            return (null, null);
        }
    }

    private static ObjectStoreError Classify(int status, string code) => (status, code) switch
    {
        (_, "NoSuchBucket") => ObjectStoreError.ContainerNotFound,
        (_, "QuotaExceeded" or "XMinioStorageFull" or "InsufficientCapacity") or (507, _) => ObjectStoreError.OutOfSpace,
        (412, _) => ObjectStoreError.AlreadyExists,

        // Damaged on the way there, or two conditional puts at once: the same request may well succeed.
        (_, "BadDigest" or "XAmzContentSHA256Mismatch" or "IncompleteBody" or "RequestTimeout" or "ConditionalRequestConflict" or "OperationAborted") => ObjectStoreError.Unavailable,
        (_, "SlowDown" or "InternalError" or "ServiceUnavailable" or "Throttling" or "ThrottlingException" or "RequestLimitExceeded") => ObjectStoreError.Unavailable,
        (404, _) => ObjectStoreError.NotFound,
        (401 or 403, _) or (_, "AccessDenied" or "ExpiredToken" or "InvalidToken") => ObjectStoreError.AccessDenied,
        (501, _) => ObjectStoreError.Failed,
        (408 or 429 or >= 500, _) => ObjectStoreError.Unavailable,
        _ => ObjectStoreError.Failed,
    };

    private string Start(string? key, string action) => $"{storeName}: cannot {action}{(key is null ? "" : " " + key)}";

    public static string OneLine(string words)
    {
        string line = words.ReplaceLineEndings(" ").Trim();
        return line.Length <= MaxWords ? line : line[..MaxWords] + "...";
    }

    private static T? Find<T>(Exception? e)
        where T : Exception
    {
        while (e is not null and not T)
            e = e.InnerException;
        return (T?)e;
    }
}
