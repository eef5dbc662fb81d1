"""What the overlay says when it refuses a file, a print or a webhook."""

from __future__ import annotations

from overlay.words.shape import Words

__all__ = ["PAPERS"]

PAPERS: dict[str, Words] = {
    # files and prints
    "MAY_NOT_ATTACH": Words(
        "您不经办此单，或此单已作废，不能添加附件。",
        "You do not work on this order, or it has come to nothing; nothing can be attached.",
        "请由借用方、权属方或两区的经办人添加。",
        "Ask somebody of the borrowing or the owning side.",
    ),
    "MAY_NOT_REMOVE_FILE": Words(
        "附件只能由上传人在办结之前移除。",
        "Only who uploaded it may remove an attachment, and only before the order is closed.",
        "请联系上传人。",
        "Ask who uploaded it.",
    ),
    "FILE_TYPE_REFUSED": Words(
        "不接受此类文件。", "Files of this type are not taken.", "可用的类型：{types}。", "Use one of: {types}."
    ),
    "FILE_TOO_LARGE": Words(
        "文件须为 1 字节至 {max}。",
        "A file has 1 byte to {max}.",
        "压缩图片或拆分文件。",
        "Make the picture smaller or split the file.",
    ),
    "ORDER_FILES_FULL": Words(
        "一张单至多 {files} 个附件、共 {max}。",
        "An order has at most {files} attachments of {max} together.",
        "先移除不需要的附件。",
        "Remove what is not needed first.",
    ),
    "UNKNOWN_FILE": Words(
        "没有这个文件，或您无权查看。",
        "There is no such file, or you may not see it.",
        "请核对标识，或重新申请上传。",
        "Check the id, or ask for the upload again.",
    ),
    "UPLOAD_MISSING": Words(
        "文件尚未上传。",
        "The file has not been uploaded yet.",
        "先以 PUT 上传到所给的地址，再以新的幂等键添加。",
        "Send it by PUT to the URL that was given, then attach it with a new idempotency key.",
        transient=True,
    ),
    "UPLOAD_TAKEN": Words(
        "此上传已收到另一份内容，或已添加。",
        "This upload has received other content, or is attached already.",
        "重新申请上传。",
        "Ask for another upload.",
    ),
    "LINK_INVALID": Words(
        "链接无效或已过期。",
        "The link is not valid, or has expired.",
        "重新查询以取得新链接。",
        "Query again for a new link.",
    ),
    "FILE_SIZE_DIFFERS": Words(
        "收到的字节数与申报的 {size} 不符。",
        "The bytes that arrived are not the {size} that were announced.",
        "以实际大小重新申请上传。",
        "Ask for the upload again with the real size.",
    ),
    "FILE_IS_NOT_ITS_TYPE": Words(
        "内容不是完整的 {type}，或含有脚本、宏或其他格式的内容。",
        "The content is not a whole {type}, or holds scripts, macros or another format.",
        "重新导出文件后上传。",
        "Export the file anew and upload that.",
    ),
    "STORAGE_FULL": Words(
        "存储空间不足，未保存任何内容。",
        "There is no room to store the file; nothing was kept.",
        "请联系管理员，稍后重试。",
        "Tell the administrator, and try again later.",
        transient=True,
    ),
    "FILE_LOST": Words(
        "文件的内容缺失或已损坏。",
        "The file's content is missing or damaged.",
        "请联系管理员从备份恢复。",
        "Ask the administrator to restore it from a backup.",
    ),
    "UNKNOWN_PRINT": Words(
        "没有打印过此验证码的件；此件不实。",
        "Nothing was printed under this code; the paper is not genuine.",
        "核对验证码，或向经办区查询单号。",
        "Check the code, or ask the region about the order's number.",
    ),
    "NO_SUCH_PRINT": Words(
        "此单没有这种打印件。",
        "This order has no such print.",
        "借用单有申请单和交接单，归还单在归还后才有。",
        "Loans have an application and a handover; a return has its own.",
    ),
    # webhooks
    "WEBHOOK_URL_INVALID": Words(
        "这不是可用的网址。",
        "This is no URL that can be used.",
        "写完整的 https 地址，不含用户名和 #。",
        "Write a whole https URL without a user name or a fragment.",
    ),
    "WEBHOOK_URL_INSECURE": Words(
        "只向 https 地址发送，本机地址除外。",
        "Notices are only sent by https, except to this machine.",
        "改用 https。",
        "Use https.",
    ),
    "WEBHOOK_ADDRESS_REFUSED": Words(
        "此地址不在公网，设置也未允许。",
        "This address is not public, and no setting allows it.",
        "由管理员在 GWC_WEBHOOK_NETWORKS 中允许其网段。",
        "Have the administrator allow its network in GWC_WEBHOOK_NETWORKS.",
    ),
    "UNKNOWN_TOPIC": Words(
        "没有这个主题。", "There is no such topic.", "可用的主题：{topics}。", "Use one of: {topics}."
    ),
    "UNKNOWN_REGION": Words(
        "没有这个区划代码。", "There is no region of this code.", "请核对代码。", "Check the code."
    ),
    "SECRET_NOT_SET": Words(
        "没有以此为名、且内容合格的密钥变量。",
        "No variable of that name holds a secret.",
        "在环境中设置 {variable}<名称>，值为 whsec_ 加 24 至 64 字节的 base64；或不给名称，由系统生成。",
        "Set {variable}<NAME> to whsec_ and 24 to 64 bytes in base64, or give no name and have a secret made.",
    ),
    "TOO_MANY_WEBHOOKS": Words(
        "至多 {max} 个推送地址。", "There are at most {max} webhooks.", "停用不再需要的地址。", "Reuse one of them."
    ),
    "UNKNOWN_WEBHOOK": Words("没有这个推送地址。", "There is no such webhook.", "请核对标识。", "Check the id."),
    "TOO_MANY_LETTERS": Words(
        "一次重发 1 至 {max} 封。", "1 to {max} letters are sent again at once.", "分批重发。", "Send them in parts."
    ),
}
